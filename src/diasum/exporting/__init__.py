"""Models that others can load: merged, for CTranslate2, for the Hub; each compared with its run before it is written."""
