"""Prints a language's code, a tab and a paragraph for each paragraph of the declaration's translations: paragraphs.py FOLDER"""

import html
import pathlib
import re
import sys

# The file of the translation, and the code that LanguageId should give.
FILES = (
    "afr af, arb ar, ben bn, bul bg, cat ca, ces cs, cmn_hans zh, cmn_hant zh, dan da, deu_1996 de, ell_monotonic el, eng en, est et, "
    "fin fi, fra fr, heb he, hin hi, hrv hr, hun hu, hye hy, ind id, ita it, jpn ja, kat ka, kor ko, lav lv, lit lt, nld nl, nob nb, "
    "pes_1 fa, pol pl, por_BR pt, por_PT pt, ron_2006 ro, rus ru, slk sk, slv sl, spa es, swe sv, swh sw, tam ta, tel te, tgl tl, tha th, "
    "tur tr, ukr uk, urd ur, vie vi"
)
# A sign of these says more than a letter.
DENSE = {"zh", "ja", "ko"}

for name, code in (pair.split() for pair in FILES.split(", ")):
    page = (pathlib.Path(sys.argv[1]) / f"{name}.html").read_text(encoding="utf-8")
    for paragraph in re.findall(r"<p[^>]*>(.*?)</p>", page, re.DOTALL):
        text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", paragraph))).strip()
        if len(text) >= (25 if code in DENSE else 60):
            print(code, text, sep="\t")
