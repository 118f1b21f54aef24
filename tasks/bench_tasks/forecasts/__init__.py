"""Forecasts of series: tables read, times understood, windows cut and split."""
