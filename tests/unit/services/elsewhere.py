"""Practices that are not written in English, for searches across languages: at least one of each theme of the seed.

They are made up.
"""

from __future__ import annotations

from typing import NamedTuple


class Elsewhere(NamedTuple):
    """A practice in brief; the first theme is what it is mostly about."""

    language: str
    country: str
    region: str
    themes: tuple[str, ...]
    target_groups: tuple[str, ...]
    title: str
    summary: str


PRACTICES = [
    Elsewhere("de", "DE", "DE2", ("talent-attraction-and-retention",), ("international-talent", "employers"),
              "Rückenwind für neue Kolleginnen",
              "Der Bezirk wirbt um Ingenieurinnen aus dem Ausland und begleitet ihre Familien im ersten Jahr."),
    Elsewhere("es", "ES", "ES61", ("labour-inclusion",), ("women", "refugees"),
              "Del aula al tajo",
              "La provincia paga los primeros seis meses de contrato a quienes acaban de llegar."),
    Elsewhere("it", "IT", "ITC1", ("skills-and-recognition",), ("migrant-workers",),
              "Il mestiere in valigia",
              "Un ufficio regionale verifica i titoli e prova sul campo quello che una persona sa già fare."),
    Elsewhere("fr", "FR", "FRK2", ("entrepreneurship",), ("entrepreneurs",),
              "Le premier étal",
              "La métropole prête un étal, une caisse et un parrain à qui veut ouvrir son commerce."),
    Elsewhere("pl", "PL", "PL63", ("education-and-youth",), ("children-and-youth", "unaccompanied-minors"),
              "Ławka obok",
              "Asystentki międzykulturowe siedzą w klasie obok uczniów, którzy dopiero przyjechali."),
    Elsewhere("sv", "SE", "SE22", ("language-learning",), ("asylum-seekers", "older-migrants"),
              "Prata vid spisen",
              "Pensionärer och nykomlingar lagar mat ihop och övar svenska medan grytan puttrar."),
    Elsewhere("pt", "PT", "PT1A", ("arts-and-culture",), ("artists",),
              "Palco de bairro",
              "A câmara abre o palco municipal a companhias formadas por vizinhos de muitas origens."),
    Elsewhere("ca", "ES", "ES51", ("housing",), ("families", "temporary-protection"),
              "Claus a mà",
              "El consell comarcal avala el lloguer de famílies que no troben pis."),
    Elsewhere("ro", "RO", "RO11", ("health-and-wellbeing",), ("roma-and-travellers",),
              "Doctorul din sat",
              "Mediatoarele sanitare însoțesc familiile la medic și explică rețetele."),
    Elsewhere("ga", "IE", "IE04", ("welcome-and-orientation",), ("public-servants", "third-country-nationals"),
              "Cupán tae ag an stáisiún",
              "Casann oibrithe deonacha le daoine nua ag an stáisiún agus tugann siad timpeall an bhaile iad."),
    Elsewhere("nl", "NL", "NL35", ("intercultural-interaction",), ("receiving-society",),
              "Aan tafel in de straat",
              "Buren koken voor elkaar en leren zo wie er naast hen woont."),
    Elsewhere("fi", "FI", "FI1D", ("intercultural-competence",), ("public-servants",),
              "Virkailijan peili",
              "Maakunnan virkailijat harjoittelevat asiakastilanteita tulkin kanssa."),
    Elsewhere("hu", "HU", "HU33", ("participation-and-citizenship",), ("civil-society",),
              "Szék a tanácsteremben",
              "A külföldi lakosok küldöttei felszólalnak a városi közgyűlésen."),
    Elsewhere("da", "DK", "DK03", ("anti-discrimination",), ("receiving-society",),
              "Sig det højt",
              "En telefonlinje tager imod klager over hadefuld tale og følger sagerne til dørs."),
    Elsewhere("cs", "CZ", "CZ06", ("gender-and-family",), ("women", "families"),
              "Hlídání za rohem",
              "Kraj platí hlídání dětí, aby matky mohly chodit na kurzy."),
    Elsewhere("hr", "HR", "HR06", ("rights-and-legal-status",), ("undocumented-migrants",),
              "Pravnik na biciklu",
              "Pravnici obilaze sela i pomažu ljudima urediti boravak."),
    Elsewhere("el", "GR", "EL42", ("rural-and-remote-areas",), ("returnees",),
              "Το καΐκι του γιατρού",
              "Ένα καΐκι φέρνει γιατρούς και δασκάλους στα μικρά νησιά."),
    Elsewhere("lt", "LT", "LT02", ("demographic-change",), ("returnees", "families"),
              "Namo su vaikais",
              "Rajonas ieško darbo ir darželio šeimoms, kurios grįžta gyventi namo."),
    Elsewhere("sl", "SI", "SI03", ("cross-border-cooperation",), ("migrant-workers",),
              "Avtobus čez prelaz",
              "Dve deželi skupaj vozita delavce čez prelaz in usklajujeta njihova zavarovanja."),
    Elsewhere("et", "EE", "EE00", ("governance-and-strategy",), ("public-servants",),
              "Üks laud, üks kava",
              "Maakonna asutused lepivad igal sügisel kokku, kes mida teeb."),
    Elsewhere("nb", "NO", "NO0A", ("media-and-narratives",), ("receiving-society",),
              "Stemmer fra fjorden",
              "Lokalavisa trykker hver uke en fortelling av en som nettopp har flyttet hit."),
    Elsewhere("tr", "TR", "TRC1", ("education-and-youth",), ("international-students",),
              "Kampüste ilk hafta",
              "Üniversite yeni gelen öğrencileri bir hafta boyunca evlerde ağırlar."),
]  # fmt: skip
