"""What files hold: folders listed, archives unpacked, media, tables and downloads read; nothing of what is learnt."""
