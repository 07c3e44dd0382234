"""Made-up practices, as many as wanted: `python -m bench.generate N FILE`.

The records obey the contract, in four languages, with about 500 words each, so that an import takes them as published.
The same number and seed give the same file. Words follow Zipf's law over a few thousand invented ones and some hundred
real ones: what a search engine meets in real text. They say nothing: measure with them, and read the seed.
"""

from __future__ import annotations

import argparse
import csv
import random
import uuid
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml
from slugify import slugify

from kb.formats import json

SEED = Path(__file__).parents[1] / "seed"
NAMESPACE = uuid.UUID("3d0a6a52-6f2c-5b6b-8f0d-0a5b7f5f9d11")

WORDS = {
    "en": "the of and to in a for with by from on their after before region city county service programme project "
    "training mentors language courses housing work jobs employers skills diplomas recognition health nurses "
    "schools children families women youth refugees migrants newcomers students talent returnees volunteers "
    "neighbours sport arts library theatre counselling guidance permit residence contract funding partners "
    "council agency university network evaluation interviews results waiting lists places months years people "
    "support offered began ended grew",
    "it": "il la di e a in per con da su dopo prima regione comune provincia servizio programma progetto formazione "
    "tutor lingua corsi casa alloggio lavoro imprese competenze titoli riconoscimento salute infermieri scuole "
    "bambini famiglie donne giovani rifugiati migranti arrivati studenti talenti ritorno volontari vicini "
    "sport arte biblioteca teatro consulenza orientamento permesso soggiorno contratto fondi partner consiglio "
    "agenzia università rete valutazione interviste risultati liste attesa posti mesi anni persone sostegno "
    "offerto avviato concluso cresciuto",
    "es": "el la de y a en para con por desde tras antes región ciudad provincia servicio programa proyecto "
    "formación mentores lengua cursos vivienda trabajo empleo empresas competencias títulos homologación salud "
    "enfermeras escuelas niños familias mujeres jóvenes refugiados migrantes llegados estudiantes talento "
    "retorno voluntarios vecinos deporte artes biblioteca teatro asesoría orientación permiso residencia "
    "contrato fondos socios consejo agencia universidad red evaluación entrevistas resultados listas espera "
    "plazas meses años personas apoyo empezó",
    "de": "der die das und zu in für mit von aus nach vor Region Stadt Landkreis Dienst Programm Projekt Ausbildung "
    "Mentoren Sprache Kurse Wohnung Arbeit Stellen Betriebe Fähigkeiten Abschlüsse Anerkennung Gesundheit "
    "Pflegekräfte Schulen Kinder Familien Frauen Jugend Geflüchtete Zugewanderte Neuankommende Studierende "
    "Talente Rückkehr Ehrenamtliche Nachbarn Sport Kunst Bücherei Theater Beratung Begleitung Erlaubnis "
    "Aufenthalt Vertrag Förderung Partner Rat Agentur Universität Netzwerk Bewertung Gespräche Ergebnisse "
    "Wartelisten Plätze Monate Jahre Menschen",
}
"""Real words of each language, the commonest first."""

INVENTED = 4000
"""Invented words a language has besides."""

LENGTHS = {
    "summary": 55, "context": 80, "objectives": 50, "actions": 170, "results": 85, "difficulties": 65,
    "lessons": 60, "transferability": 65,
}  # fmt: skip
"""Words of each text on average; a text has from half to one and a half times as many."""

OFTEN_EMPTY = {"context": 0.1, "objectives": 0.2, "results": 0.2, "difficulties": 0.4, "lessons": 0.4,
               "transferability": 0.3}  # fmt: skip
"""How often a recommended text is missing."""

STATUSES = ("running", "running", "running", "ended", "ended", "pilot", "mainstreamed", "planned", "discontinued")
EVIDENCE = (None, None, "none", "monitoring", "monitoring", "self-evaluation", "external-evaluation", "counterfactual")
ROLES = (None, "leader", "coordinator", "partner", "funder", "supporter", "adviser")
FUNDING = (
    "AMIF", "ESF", "ERDF", "Interreg", "Erasmus", "other-eu", "national", "regional", "local", "private", "other",
)  # fmt: skip
KINDS = (None, "regional-authority", "local-authority", "agency", "ngo", "university", "business", "other")
SYLLABLES = "ba be bo da de di do fa fe ga go ka ke la le li lo ma me mi mo na ne no pa pe po ra re ri ro sa se so ta"


class Language:
    """The vocabulary of one language, with how often each word comes."""

    def __init__(self, code: str) -> None:
        self.code = code
        chance = random.Random(code)  # noqa: S311 (nothing here is secret)
        syllables = SYLLABLES.split()
        invented = {"".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(INVENTED)}
        self.words = WORDS[code].split() + sorted(invented)
        self.heights = list(accumulate(1 / rank for rank in range(1, len(self.words) + 1)))

    def text(self, chance: random.Random, count: int) -> str:
        """That many words, in sentences."""
        words = chance.choices(self.words, cum_weights=self.heights, k=count)
        sentences = []
        while words:
            length = chance.randint(8, 20)
            sentence, words = words[:length], words[length:]
            sentences.append(" ".join(sentence).capitalize() + ".")
        return " ".join(sentences)


class Generator:
    """Makes records out of the vocabularies in `seed/`."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (nothing here is secret)
        self.seed = seed
        self.languages = {code: Language(code) for code in WORDS}

    @cached_property
    def regions(self) -> list[dict[str, str]]:
        """Regions below the country."""
        with (SEED / "regions.csv").open(encoding="utf-8", newline="") as file:
            return [row for row in csv.DictReader(file) if row["level"] != "0"]

    @cached_property
    def terms(self) -> dict[str, list[str]]:
        """The slugs of themes and target groups."""
        return {
            name: [entry["slug"] for entry in yaml.safe_load((SEED / f"{name}.yaml").read_text(encoding="utf-8"))]
            for name in ("themes", "target_groups")
        }

    def records(self, count: int) -> Iterator[dict[str, Any]]:
        """That many records, as an export would write them."""
        for number in range(1, count + 1):
            yield self._record(number)

    def _record(self, number: int) -> dict[str, Any]:
        chance = self.chance
        language = self.languages[chance.choices(list(WORDS), weights=(4, 2, 2, 2))[0]]
        region = chance.choice(self.regions)
        title = language.text(chance, chance.randint(4, 8)).rstrip(".")[:90]
        published = f"20{chance.randint(24, 25)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T10:00:00Z"
        return {
            "id": str(uuid.uuid5(NAMESPACE, f"{self.seed}/{number}")),
            "slug": f"{slugify(title, max_length=60)}-{number}",
            "title": title,
            "language": language.code,
            **self._texts(language),
            "translations": self._translations(language),
            "country": region["country"],
            "region": {"code": region["code"], "name": region["name_latin"]},
            "level": "local" if region["level"] == "3" else "regional",
            **self._facts(),
            **self._people(language),
            "themes": chance.sample(self.terms["themes"], chance.randint(1, 3)),
            "target_groups": chance.sample(self.terms["target_groups"], chance.randint(1, 3)),
            "sources": [{"title": "Source", "url": f"https://example.org/practices/{number}"}],
            "origin": {"kind": "import", "url": None},
            "version": chance.randint(1, 4),
            "published": published,
            "updated": published,
        }

    def _texts(self, language: Language) -> dict[str, str | None]:
        texts: dict[str, str | None] = {}
        for key, mean in LENGTHS.items():
            empty = self.chance.random() < OFTEN_EMPTY.get(key, 0)
            texts[key] = None if empty else language.text(self.chance, self.chance.randint(mean // 2, mean * 3 // 2))
        return texts

    def _translations(self, language: Language) -> list[dict[str, Any]]:
        if language.code == "en":
            return []
        english = self.languages["en"]
        return [{"language": "en", "title": english.text(self.chance, 6), "summary": english.text(self.chance, 30),
                 "machine": self.chance.random() < 0.5}]  # fmt: skip

    def _facts(self) -> dict[str, Any]:
        chance = self.chance
        status = chance.choice(STATUSES)
        start = chance.randint(1998, 2024)
        dated = chance.random() < 0.9
        over = dated and status in ("ended", "discontinued")
        return {
            "authority_role": chance.choice(ROLES),
            "status": status,
            "start": f"{start}-{chance.randint(1, 12):02}" if dated else None,
            "end": str(min(2025, start + chance.randint(1, 8))) if over else None,
            "evidence": chance.choice(EVIDENCE),
            "beneficiaries": chance.choice((None, chance.randint(10, 20_000))),
            "budget_eur": chance.choice((None, chance.randint(1, 9_000) * 1000)),
            "funding": [
                {"source": source, "amount_eur": None, "note": None}
                for source in chance.sample(FUNDING, chance.randint(0, 2))
            ],
            "indicators": [
                {"name": "participants", "baseline": None, "value": str(chance.randint(1, 900)), "unit": "people",
                 "year": min(2025, start + 1), "url": None}
                for _ in range(chance.randint(0, 2))
            ],
        }  # fmt: skip

    def _people(self, language: Language) -> dict[str, Any]:
        chance = self.chance
        names = [language.text(chance, 3).rstrip(".") for _ in range(chance.randint(1, 4))]
        lead, *partners = ({"name": name, "type": chance.choice(KINDS), "url": None} for name in names)
        return {"lead_organisation": lead, "partners": partners}


def main() -> None:
    """Write the records: an array, or JSON lines where the name ends in .jsonl."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description="Write made-up practices to a file.")
    parser.add_argument("count", type=int, help="how many")
    parser.add_argument("file", type=Path, help="where to: .json is an array, .jsonl JSON lines")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other records (default: 1)")
    asked = parser.parse_args()
    records = Generator(asked.seed).records(asked.count)
    with asked.file.open("w", encoding="utf-8") as file:
        file.writelines(json.lines(records) if asked.file.suffix == ".jsonl" else json.array(records))


if __name__ == "__main__":
    main()
