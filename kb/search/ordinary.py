"""Names of regions that are ordinary words in some language, so that a question may hold them and mean no region.

Mayo is May in Spanish, the Italian Como is "how", Barnet is the Swedish child, Roma are people, and half of Europe has
a Centre. Such a name means its region where somebody says that it is one (`region:mayo`); elsewhere it is only a word.

Left out are names that are words too, but of places whom people mean when they write them: Porto, Cork, Madeira, Łódź.
Chosen by hand, and by counting which names stand in lower case in 26,000 texts in 31 languages.
"""

from __future__ import annotations

# Points of the compass and adjectives made of them: English; Spanish, Catalan, Portuguese, Italian, French, Romanian;
# German, Dutch; Swedish, Danish, Norwegian; Slavonic languages; Irish; Hungarian, Finnish, Estonian; Albanian, Turkish.
_COMPASS = """
    north south east west northern southern eastern western northeast northwest southeast southwest
    northeastern northwestern southeastern southwestern midwest mideast
    norte sur sul este leste oeste noreste nordeste noroeste sureste sudeste suroeste sudoeste
    nord sud est oest ouest ovest vest nordest nordovest nordouest nordvest sudest sudovest sudouest sudvest
    septentrional septentrionale settentrionale meridional meridionale mezzogiorno oriental orientale
    occidental occidentale
    suden osten westen norden nordosten nordwesten sudosten sudwesten ost nordost nordwest sudost sudwest
    noord zuid oost noordoost noordwest zuidoost zuidwest noorden zuiden oosten
    norra sodra ostra vastra norr soder oster vaster syd sydost sydvast nordre sondre ostre vestre sor sorost sorvest
    polnoc poludnie wschod zachod sever jih juh jug vychod vzhod istok zapad severozapad severovychod jihozapad
    jihovychod severozapaden severoiztochen yugozapaden yugoiztochen severoistocen jugozapaden jugoistocen istocen
    tuaisceart deisceart oirthear iarthar
    eszak del kelet nyugat pohjoinen etela ita lansi pohja louna laane
    северозападен североизточен югоизточен югозападен
    veri jug kuzey guney dogu bati
"""

_KINDS_OF_PLACE = """
    centre center centro centru zentrum centrum central centrale kozep keskus qender orta middle
    border borders midland midlands heartland highlands lowlands capital capitale hauptstadt
    island islands isole islas ilhas iles inseln insel insule oar saaret continent continente innlandet landsbyggd
    mediterranean mediterraneo akdeniz aegean ege vestlandet alfold viken obala montana fiume rijeka bergen
    marche marches marcas marken outremer
"""

_WORDS = {
    "en": "angers batman champagne constance derby drama gent genes grenade harrow hove hull jug lot nice pest reunion"
    " rim ruse split thorn tours worms",
    "es": "ave brujas colonia cuenca faro gozo granada haga latina leer leon lio madera mayo palma peine pila pisa"
    " temes tomar van vas",
    "ca": "conca lleo mila osca pau tori",
    "it": "alba asti celle como fermo lilla lodi parma pola potenza prato rodi roma rom spira veri",
    "fr": "allier aube bec cannes cher cote creuse frise grand jura landes manche orne plaisance rousse russe sienne"
    " somme stade treves trente",
    "de": "berat erlangen essen eure franken geldern hof leiden namen posen regen schonen zug",
    "pt": "beja gera guarda leao reuniao rodas",
    "ro": "bursa fier gard uri vin",
    "sv": "barnet breda kassa lika lund raska vad var varna",
    "da": "bruges indre lille verden viden",
    "nl": "assen",
    "hu": "bekes heves",
    "hr": "radom",
    "cs": "pec",
    "tr": "agri ordu tokat",
}
"""Further words, by a language in which each is one; many are in several."""

ORDINARY: frozenset[str] = frozenset(" ".join((_COMPASS, _KINDS_OF_PLACE, *_WORDS.values())).split())
"""Words as `kb.search.language.fold` gives them; names of several words joined, as it does (`Nord-Est`: `nordest`).

Also what is left of a name without its stop words, as a question has it: Grand of Grand Est.
"""
