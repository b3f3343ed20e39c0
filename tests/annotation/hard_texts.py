"""Texts whose offsets are easily wrong: emoji, combining marks, other directions, markup."""

from __future__ import annotations

HARD_TEXTS = [
    # text, the phrase pushed as a suggestion, the phrase that the annotator selects
    ("😀😀 Gen. Smith leads 2 Wing", "Gen.", "2 Wing"),
    ("Family 👨\u200d👩\u200d👧\u200d👦 and 🇫🇷 greet Col. Jones of 3 Wing", "Col.", "3 Wing"),
    ("Cafe\u0301 Ma\u0308rz: Maj. Brown\u0301 of 4 Wing", "Maj.", "4 Wing"),
    ("first line\r\nGen. Ann Doe\r\nof 5 Wing here", "Gen.", "5 Wing"),
    ("one\ttab\tCol. Roe\tof 6 Wing", "Col.", "6 Wing"),
    ("no\u00a0break Lt.\u00a0Gen.\u00a0Doe of 7\u00a0Wing now", "Lt.\u00a0Gen.", "7\u00a0Wing"),
    ("zero\u200bwidth\u200djoin\ufeff Maj. Poe of 8 Wing", "Maj.", "8 Wing"),
    ("𝐁𝐨𝐥𝐝 𝒜 letters, Gen. 𝐒𝐦𝐢𝐭𝐡 of 9 Wing", "Gen.", "9 Wing"),
    ("שלום: Col. Levi של 10 Wing", "Col.", "Wing"),
    ("<b>Gen.</b> &amp; “Ray” — 11 Wing\u2028next", "Gen.", "11 Wing"),
]
