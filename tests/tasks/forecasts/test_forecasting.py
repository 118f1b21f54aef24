"""Tables of series become windows as their options say, and what is wrong with a table is told."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench_tasks.forecasts.forecasting import Forecasting, open_forecasting

from bench.column import Array
from bench.config.data import DataSpec
from bench.domains.options import DataOptions
from bench.domains.series.raw import Windows
from bench.errors import DataError
from bench.runtime.cache import Cache
from bench.subsets.seeds import stream
from bench.targets.forecast import LABEL
from bench.task import Examples, Split, verify

UNUSED = Cache(Path("unused"))

SMALL = DataOptions(context=24, horizon=6, test_share=0.25)
HOURS = 240


def hourly(n: int = HOURS) -> pd.DataFrame:
    """Return two series with a daily cycle, one ten times the other, drifting so that no day is the last once more."""
    hours = np.arange(n)
    wave = np.sin(2 * np.pi * hours / 24) + 0.01 * hours
    times = pd.date_range("2016-07-01", periods=n, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    return pd.DataFrame({"date": times, "HUFL": wave, "OT": 10 * wave + 5})


def written(frame: pd.DataFrame, path: Path) -> Path:
    """Write the table in the format that its name asks for."""
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


def opened(frame: pd.DataFrame, folder: Path, options: DataOptions = SMALL, name: str = "series.csv") -> Forecasting:
    return open_forecasting("mine", DataSpec("forecasting", f"csv:{written(frame, folder / name)}", options), UNUSED)


def loaded(task: Forecasting, folder: Path) -> Split:
    return task.split(0, Cache(folder / "cache"))


def raw(split: Split, *, test: bool = False) -> Windows:
    part = (split.test if test else split.train).raw
    assert isinstance(part, Windows)
    return part


def future(examples: Examples) -> Array:
    """Return the values to forecast, [n, steps]."""
    found: Array = examples.labels[LABEL][LABEL]
    return found


def naive(task: Forecasting, split: Split) -> float | None:
    """Return the error of the forecast that needs no skill."""
    target, test = task.target, split.test
    predictions = target.baselines[0].predict(split.train.labels[LABEL], test.raw, test.facts)
    return target.metrics[0].compute(predictions, test.labels[LABEL], test.facts)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet", "a.jsonl"])
def test_every_format_gives_the_same_windows(name: str, tmp_path: Path) -> None:
    task = opened(hourly(), tmp_path, name=name)
    split = loaded(task, tmp_path)
    values = hourly()[["HUFL", "OT"]].to_numpy()
    np.testing.assert_allclose(raw(split).past[:2], values[:24].T, rtol=1e-8)  # pandas' JSON has ten digits
    np.testing.assert_allclose(future(split.train)[:2], values[24:30].T, rtol=1e-8)
    assert len(split.train) == task.card.n_train == 2 * (180 - 30 + 1)
    assert len(split.test) == 2 * (60 - 30 + 1)


def test_the_card_says_what_was_found(tmp_path: Path) -> None:
    card = opened(hourly(), tmp_path).card
    assert card.description == "2 series of 240 steps of h: 24 of them forecast the next 6; season 24."
    assert card.source == f"csv:{tmp_path / 'series.csv'}"
    assert not card.pinned
    assert not card.remarks


def test_dates_of_a_parquet_file_need_no_reading(tmp_path: Path) -> None:
    frame = hourly().assign(date=pd.date_range("2016-07-01", periods=HOURS, freq="h", tz="Europe/Berlin"))
    assert opened(frame, tmp_path, name="a.parquet").card.description == opened(hourly(), tmp_path).card.description


def test_the_long_form_gives_the_windows_of_the_wide_one(tmp_path: Path) -> None:
    wide = hourly()
    long = wide.melt(id_vars="date", var_name="unique_id", value_name="y").rename(columns={"date": "ds"})
    mixed = long.sample(frac=1, random_state=0)
    task = opened(mixed.sort_values("unique_id", kind="stable"), tmp_path, name="long.csv")
    expected = loaded(opened(wide, tmp_path), tmp_path)
    split = loaded(task, tmp_path)
    np.testing.assert_array_equal(raw(split).past, raw(expected).past)
    np.testing.assert_array_equal(raw(split, test=True).unit, raw(expected, test=True).unit)
    assert task.card.remarks == ("rows were not in order of time and have been sorted",)


def test_columns_of_the_long_form_can_have_other_names(tmp_path: Path) -> None:
    frame = hourly().melt(id_vars="date", var_name="shop", value_name="sold").assign(note=1.0)
    options = SMALL.model_copy(update={"series": "shop", "values": ("sold",), "time": "date"})
    assert len(loaded(opened(frame, tmp_path, options), tmp_path).train) == 302


def test_values_chooses_columns(tmp_path: Path) -> None:
    options = SMALL.model_copy(update={"values": ("OT",)})
    split = loaded(opened(hourly(), tmp_path, options), tmp_path)
    np.testing.assert_allclose(raw(split).past[0], hourly()["OT"][:24], rtol=1e-12)
    assert len(split.train) == 151


def test_columns_of_words_are_left_out_and_told(tmp_path: Path) -> None:
    task = opened(hourly().assign(place="Berlin", flag=True), tmp_path)
    assert task.card.remarks == ("left out, since they hold no numbers: place, flag",)
    assert task.card.description.startswith("2 series")


def test_windows_of_one_moment_lie_next_to_each_other_and_the_latest_are_taken_first(tmp_path: Path) -> None:
    task = opened(hourly(), tmp_path)
    split = loaded(task, tmp_path)
    order = task.target.sampling.order(split.train.labels[LABEL], split.train.facts, stream(0, "subset"))
    latest = future(split.train)[np.sort(order[:2])]
    np.testing.assert_allclose(latest, hourly()[["HUFL", "OT"]].to_numpy()[174:180].T, rtol=1e-12)
    assert task.target.sampling.overlap(split.train.facts) == 2 * 5


def test_series_of_other_times_are_ordered_by_the_moment_at_which_their_windows_end(tmp_path: Path) -> None:
    early, late = hourly(200), hourly(160)
    late["date"] = pd.date_range("2016-07-03", periods=160, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    frame = pd.concat([early.assign(unique_id="early"), late.assign(unique_id="late")])
    task = opened(frame.rename(columns={"date": "ds", "OT": "y"})[["unique_id", "ds", "y"]], tmp_path)
    split = loaded(task, tmp_path)
    assert len(split.train) == (150 - 29) + (120 - 29)
    first = 48  # hours that `late` begins later, and so windows of `early` before the first of `late`
    assert raw(split).past[first - 1, 0] == pytest.approx(early["OT"][47], rel=1e-12)
    assert raw(split).past[first, 0] == pytest.approx(early["OT"][48], rel=1e-12)
    assert raw(split).past[first + 1, 0] == pytest.approx(late["OT"][0], rel=1e-12)


def test_every_window_knows_its_series_and_the_moment_it_begins_at(tmp_path: Path) -> None:
    facts = loaded(opened(hourly(), tmp_path), tmp_path).test.facts
    assert facts is not None
    assert facts["series"].tolist() == [0, 1] * 31
    begins = pd.to_datetime(hourly()["date"])[180:211].astype("datetime64[ns]").astype(np.int64)
    assert facts["moment"].tolist() == begins.repeat(2).tolist()
    np.testing.assert_allclose(facts["unit"][:2], [0.24, 2.4])


def test_small_changes_on_a_large_level_are_kept(tmp_path: Path) -> None:
    split = loaded(opened(hourly().assign(OT=1e9 + hourly()["OT"]), tmp_path), tmp_path)
    np.testing.assert_allclose(raw(split).past[1] - 1e9, hourly()["OT"][:24], rtol=0, atol=1e-6)
    np.testing.assert_allclose(future(split.train)[1] - 1e9, hourly()["OT"][24:30], rtol=0, atol=1e-6)


def test_mase_is_counted_in_the_seasonal_difference_of_each_series(tmp_path: Path) -> None:
    split = loaded(opened(hourly(), tmp_path), tmp_path)
    np.testing.assert_allclose(raw(split).unit[:2], [0.24, 2.4])  # a drift of 0.01 an hour, and ten times as much


def test_the_seasonal_naive_forecast_is_off_by_the_drift_of_a_day(tmp_path: Path) -> None:
    task = opened(hourly(), tmp_path)
    assert naive(task, loaded(task, tmp_path)) == pytest.approx(1.0, rel=1e-9)


def test_mse_is_that_of_data_standardised_by_their_training_steps(tmp_path: Path) -> None:
    task = opened(hourly(), tmp_path, SMALL.model_copy(update={"metric": "mse"}))
    split = loaded(task, tmp_path)
    values = hourly()[["HUFL", "OT"]].to_numpy()
    standardised = (values - values[:180].mean(0)) / values[:180].std(0)
    future = np.lib.stride_tricks.sliding_window_view(standardised[180 + 24 :], 6, axis=0)  # [windows, series, 6]
    past = np.lib.stride_tricks.sliding_window_view(standardised[180:-6], 24, axis=0)
    expected = np.square(future - past[..., :6]).mean()  # the first 6 of the last 24 hours, once more
    assert naive(task, split) == pytest.approx(expected, rel=1e-9)


def test_counts_split_as_the_literature_does(tmp_path: Path) -> None:
    options = SMALL.model_copy(update={"counts": (120, 40, 60)})
    task = opened(hourly(), tmp_path, options)
    split = loaded(task, tmp_path)
    values = hourly()["HUFL"].to_numpy()
    assert len(split.test) == 2 * (60 - 6 + 1)
    np.testing.assert_allclose(future(split.test)[0], values[160:166], rtol=1e-12)
    np.testing.assert_allclose(raw(split, test=True).past[0], values[136:160], rtol=1e-12)
    np.testing.assert_allclose(future(split.test)[-2], values[214:220], rtol=1e-12)
    assert task.card.remarks == ("steps after those that `counts` names are not used, 20 of the longest series",)


@pytest.mark.parametrize(
    "options", [SMALL, SMALL.model_copy(update={"counts": (120, 40, 80)})], ids=["share", "counts"]
)
def test_what_is_held_out_changes_no_training_window_and_no_unit(options: DataOptions, tmp_path: Path) -> None:
    whole, changed = hourly(), hourly()
    end = 120 if options.counts else 180
    changed.loc[end:, ["HUFL", "OT"]] += 1000.0
    one = loaded(opened(whole, tmp_path, options), tmp_path).train
    other = loaded(opened(changed, tmp_path, options), tmp_path).train
    assert one.raw.columns() == other.raw.columns()
    np.testing.assert_array_equal(future(one), future(other))


def test_a_share_holds_out_the_last_stretch_and_no_step_is_on_both_sides(tmp_path: Path) -> None:
    split = loaded(opened(hourly(), tmp_path), tmp_path)
    assert raw(split, test=True).past[0, 0] == pytest.approx(hourly()["HUFL"][180], rel=1e-12)
    assert future(split.train)[-2, -1] == pytest.approx(hourly()["HUFL"][179], rel=1e-12)


def test_loading_twice_gives_the_same_and_the_hash_follows_file_and_options(tmp_path: Path) -> None:
    task = opened(hourly(), tmp_path)
    one, other = loaded(task, tmp_path), loaded(task, tmp_path)
    assert one.test.raw.columns() == other.test.raw.columns()
    assert verify(task, one) == task.card.sha256
    assert opened(hourly(), tmp_path, SMALL.model_copy(update={"season": 24})).card.sha256 == task.card.sha256
    others = [
        opened(hourly(), tmp_path, SMALL.model_copy(update={"season": 12})),
        opened(hourly(), tmp_path, SMALL.model_copy(update={"metric": "mse"})),
        opened(hourly(), tmp_path, SMALL.model_copy(update={"values": ("OT",)})),
        opened(hourly(), tmp_path, SMALL.model_copy(update={"counts": (120, 40, 60)})),
        opened(hourly(241), tmp_path),
    ]
    assert len({task.card.sha256, *(another.card.sha256 for another in others)}) == 6


def with_gaps() -> pd.DataFrame:
    frame = hourly()
    frame.loc[[178, 179], "OT"] = np.nan
    frame.loc[180, "OT"] = 7.0
    return frame.drop(index=[5])


def test_missing_values_and_rows_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    told = (
        r"lacks 4 values, 2 of them for want of a row, the first 'HUFL' at 2016-07-01 05:00:00, 'OT' at 2016-07-01 05:0"
    )
    with pytest.raises(DataError, match=told):
        opened(with_gaps(), tmp_path)


def test_gaps_are_filled_from_their_own_side_of_the_split(tmp_path: Path) -> None:
    task = opened(with_gaps(), tmp_path, SMALL.model_copy(update={"fill": True}))
    split = loaded(task, tmp_path)
    ot = hourly()["OT"].to_numpy()
    assert future(split.train)[-1, -1] == pytest.approx(ot[177], rel=1e-12)  # not on the way to the 7 held out
    assert raw(split).past[1, 5] == pytest.approx((ot[4] + ot[6]) / 2, rel=1e-12)
    assert "4 missing values are interpolated" in task.card.remarks[0]


def test_a_training_part_without_any_value_cannot_be_filled(tmp_path: Path) -> None:
    frame = hourly()
    frame.loc[:179, "OT"] = np.nan
    with pytest.raises(DataError, match="'OT' has no value in its 180 training steps"):
        opened(frame, tmp_path, SMALL.model_copy(update={"fill": True}))


def damaged(column: str, row: int, value: str) -> pd.DataFrame:
    cells = hourly()[column].astype(str).tolist()
    return hourly().assign(**{column: [*cells[:row], value, *cells[row + 1 :]]})


@pytest.mark.parametrize(
    ("frame", "said", "told"),
    [
        (damaged("OT", 3, "1,5"), {}, r"'OT' .* holds 1 of 240 values that are no numbers, the first '1,5' at 2016"),
        (damaged("OT", 3, "inf"), {}, r"holds 1 infinite values, the first at 2016-07-01 03:00:00"),
        (damaged("date", 9, "yesterday"), {"time": "date"}, "there are 1 that are none, the first 'yesterday'"),
        (hourly().drop(columns="date"), {}, "has no column of times"),
        (hourly()[["date"]], {}, "no column of numbers beside its times 'date'"),
        (
            hourly(),
            {"values": ("OTT",)},
            r"no column 'OTT', which `values` names; did you mean 'OT'\? \(there are: date",
        ),
        (hourly(), {"time": "dates"}, "no column 'dates', which `time` names; did you mean 'date'?"),
        (
            hourly().assign(shop=pd.Series(["a"] * 120)),
            {"series": "shop"},
            "not say in 'shop' which series 120 of its 240 rows",
        ),
        (hourly(), {"series": "shop"}, "no column 'shop', which `series` names"),
        (
            pd.concat([hourly(), hourly()[:2]]),
            {},
            "2 rows too many for series 'HUFL', whose times come twice, .*`series`",
        ),
        (hourly(50), {}, r"2 of 2 series are too short \('HUFL' has 50, 'OT' has 50 steps\): .* needs 118"),
        (hourly(), {"counts": (120, 60, 80)}, r"\('HUFL' has 240, .*counts = \[120, 60, 80\] ask for 260"),
        (hourly(), {"counts": (20, 60, 80)}, r"leave no window: training needs 24 \+ 6 steps, got 20"),
        (hourly(), {"counts": (160, 40, 5)}, "and the test 6, got 5"),
        (hourly(), {"season": 500}, "180 training steps are less than one season of 500"),
        (hourly(), {"season": 48}, "a context of 24 steps is less than one season of 48"),
        (hourly().assign(OT=4.0), {}, "'OT' is constant, 4 in all 180 training steps"),
        (hourly().assign(OT=np.arange(HOURS) % 24), {}, "'OT' repeats itself exactly every 24 steps"),
        (hourly(), {"frequency": "fortnightly"}, "'fortnightly' is no frequency"),
        (hourly(), {"frequency": "D"}, "230 times of series 'HUFL' are not steps of D after each other"),
    ],
)
def test_bad_tables_are_refused_with_what_to_do(
    frame: pd.DataFrame, said: dict[str, object], told: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=told):
        opened(frame, tmp_path, SMALL.model_copy(update=said))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"date,y\n", "has no rows"),
        ("a.csv", "date,größe\n".encode("latin-1"), "is not UTF-8: byte 7 is 0xf6"),
        ("a.csv", b'date,y\n"2016', "cannot read .* as csv"),
        ("a.jsonl", b'{"date": 1', "cannot read .* as jsonl"),
        ("a.jsonl", b"", "has no rows"),
        ("a.parquet", b"PAR1", "cannot read .* as parquet"),
        ("a.xlsx", b"", "its name has to end in one of .csv, .tsv, .parquet, .jsonl"),
    ],
)
def test_files_that_are_no_tables_are_refused(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=told):
        open_forecasting("mine", DataSpec("forecasting", f"csv:{tmp_path / name}", SMALL), UNUSED)


def test_a_file_that_is_not_there_and_another_kind_of_address_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        open_forecasting("mine", DataSpec("forecasting", f"csv:{tmp_path / 'none.csv'}", SMALL), UNUSED)
    with pytest.raises(DataError, match="csv:PATH, got 'folder:there'"):
        open_forecasting("mine", DataSpec("forecasting", "folder:there", SMALL), UNUSED)


def test_whole_numbers_are_times_where_their_column_is_called_so(tmp_path: Path) -> None:
    lines = [json.dumps({"step": 3 * step, "y": float(np.sin(step))}) for step in range(100)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    options = SMALL.model_copy(update={"context": 12})
    task = open_forecasting("mine", DataSpec("forecasting", f"csv:{tmp_path / 'a.jsonl'}", options), UNUSED)
    assert task.card.description == "1 series of 100 steps of 3: 12 of them forecast the next 6; season 1."
