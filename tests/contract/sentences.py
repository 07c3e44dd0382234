"""A sentence in each language of practices, with questions that ask for it in other forms than its own."""

from __future__ import annotations

from typing import NamedTuple


class Sentence(NamedTuple):
    """A text, and a question for it in other inflections, as somebody writes it who knows the accents, and plainly."""

    language: str
    text: str
    question: str
    plain: str


INFLECTED = [
    Sentence("ca", "Els ajuntaments acompanyen les famílies nouvingudes fins a l'escola bressol.",
             "ajuntament família escoles", "ajuntament familia escoles"),
    Sentence("ca", "La cooperativa ofereix habitatges i formació als joves migrants.",
             "habitatge jove migrant", "habitatge jove migrant"),
    Sentence("cs", "Město učí cizince česky a pomáhá jim hledat zaměstnání v továrnách.",
             "města cizincům zaměstnáním", "mesta cizincu zamestnani"),
    Sentence("da", "Kommunen hjælper flygtninge med at finde arbejde på gårdene.",
             "kommuner flygtningene gårde", "kommuner flygtningene garde"),
    Sentence("da", "Frivillige læser højt for børnene på biblioteket.",
             "frivilligt bibliotekerne", "frivilligt bibliotekerne"),
    Sentence("de", "Der Landkreis sucht Fachkräfte für seine Krankenhäuser und hilft bei der Wohnungssuche.",
             "Landkreise Fachkraft Krankenhaus", "landkreise fachkraeften krankenhaeusern"),
    Sentence("de", "Patinnen begleiten geflüchtete Kinder in die Schule.",
             "Kind geflüchteten Schulen", "kindern gefluechteten schulen"),
    Sentence("el", "Ο δήμος προσφέρει μαθήματα γλώσσας στους πρόσφυγες και στις οικογένειές τους.",
             "δήμου μάθημα πρόσφυγας", "δημου μαθημα προσφυγασ"),
    Sentence("en", "The county trains mentors who accompany newly arrived nurses at the hospital.",
             "training mentor nurse hospitals", "training mentor nurse hospitals"),
    Sentence("en", "Co-operation between villages keeps the last e-learning shop open.",
             "village shops", "village shops"),
    Sentence("es", "Las escuelas rurales acogen a niños recién llegados y a sus familias.",
             "escuela rural niño llegado", "escuela rural nino llegado"),
    Sentence("es", "La diputación financia cursos para trabajadoras del campo.",
             "diputaciones curso trabajadora", "diputaciones curso trabajadora"),
    Sentence("et", "Vald õpetab sisserändajatele keelt ja aitab neil tööd leida.",
             "sisserändajad keel", "sisserandajad keel"),
    Sentence("eu", "Udalak etorkinak laguntzen ditu etxebizitza bilatzen.",
             "etorkin etxebizitzak", "etorkin etxebizitzak"),
    Sentence("fi", "Kunta auttaa maahanmuuttajia löytämään työpaikan ja oppimaan kieltä.",
             "kunnat maahanmuuttajien työpaikat", "kunnat maahanmuuttajien tyopaikat"),
    Sentence("fr", "Les communes rurales accueillent des médecins étrangers et leurs enfants.",
             "commune rurale médecin étrangère", "commune rurale medecin etrangere"),
    Sentence("ga", "Cuidíonn an chomhairle contae le teaghlaigh nua tithe a fháil.",
             "comhairle gcontae", "comhairle gcontae"),
    Sentence("hu", "A város iskolái magyar nyelvet tanítanak a bevándorlók gyermekeinek.",
             "iskola nyelvek bevándorlóknak gyermek", "iskola nyelvek bevandorloknak gyermek"),
    Sentence("it", "I comuni montani offrono alloggi e corsi di italiano ai rifugiati.",
             "comune alloggio rifugiata", "comune alloggio rifugiata"),
    Sentence("lt", "Savivaldybė moko pabėgėlius lietuvių kalbos ir padeda rasti darbą.",
             "savivaldybės pabėgėliai darbo", "savivaldybes pabegeliai darbo"),
    Sentence("nb", "Kommunen lærer innvandrere norsk og hjelper dem med å finne arbeid på sykehuset.",
             "kommunene innvandrer sykehus", "kommunene innvandrer sykehus"),
    Sentence("nl", "De gemeente helpt vluchtelingen aan een woning en begeleidt hun kinderen op school.",
             "gemeenten vluchteling woningen scholen", "gemeenten vluchteling woningen"),
    Sentence("pl", "Gmina uczy cudzoziemców języka polskiego i pomaga znaleźć mieszkanie.",
             "gminy cudzoziemcom mieszkania", "gminy cudzoziemcom mieszkania"),
    Sentence("pl", "Biblioteka wiejska zaprasza uchodźców na spotkania z sąsiadami.",
             "biblioteki uchodźcy spotkanie", "biblioteki uchodzcy spotkanie"),
    Sentence("pt", "As câmaras municipais ensinam português aos trabalhadores agrícolas.",
             "câmara trabalhador agrícola", "camara trabalhador agricola"),
    Sentence("ro", "Primăria învață refugiații limba română și îi ajută să găsească locuințe.",
             "primării refugiaților locuință", "primarii refugiatilor locuinta"),
    Sentence("sr", "Општина учи избеглице српски језик и помаже породицама да нађу стан.",
             "општине избеглица породица", "opstine izbeglica porodica"),
    Sentence("sv", "Kommunen lär flyktingar svenska och hjälper familjerna att hitta bostäder på landsbygden.",
             "kommuner flyktingarna familjer bostad", "kommuner flyktingarna familjer"),
    Sentence("tr", "Belediye göçmenlere Türkçe öğretiyor ve kadınlara iş bulmalarında yardım ediyor.",
             "belediyeler göçmenler kadınlar", "belediyeler gocmenler kadinlar"),
]  # fmt: skip
"""For every language with a stemmer."""

FOLDED = [
    Sentence("bg", "Общината учи чужденците на български език и им помага да намерят работа.",
             "Общината чужденците РАБОТА", "общината чужденците работа"),
    Sentence("gl", "O concello axuda ás familias emigradas que volven á aldea.",
             "Concello FAMILIAS aldea", "concello as familias aldea"),
    Sentence("hr", "Županija uči izbjeglice hrvatski i pomaže đacima koji žive u predgrađu.",
             "ŽUPANIJA izbjeglice đacima predgrađu", "zupanija izbjeglice dacima predgradu"),
    Sentence("is", "Sveitarfélagið kennir innflytjendum íslensku og styður þá í atvinnuleit.",
             "SVEITARFÉLAGIÐ innflytjendum íslensku", "sveitarfelagid innflytjendum islensku"),
    Sentence("lv", "Pašvaldība māca bēgļiem latviešu valodu un palīdz ģimenēm.",
             "PAŠVALDĪBA bēgļiem ģimenēm", "pasvaldiba begliem gimenem"),
    Sentence("mt", "Il-kunsill lokali jgħin lill-ħaddiema barranin isibu dar u jitgħallmu l-lingwa.",
             "KUNSILL ħaddiema barranin", "kunsill haddiema barranin"),
    Sentence("sk", "Obec učí cudzincov slovenčinu a pomáha im nájsť bývanie.",
             "OBEC cudzincov bývanie", "obec cudzincov byvanie"),
    Sentence("sl", "Občina uči begunce slovenščino in pomaga družinam pri iskanju dela.",
             "OBČINA begunce družinam", "obcina begunce druzinam"),
    Sentence("uk", "Громада навчає переселенців ремесла і допомагає їхнім дітям у школі.",
             "ГРОМАДА переселенців школі", "громада переселенців школі"),
]  # fmt: skip
"""For every language without one: the words of the text itself."""

SAME = [
    ("Straße der Begegnung", "strasse begegnung"),
    ("STRASSE DER BEGEGNUNG", "Straße"),
    ("Łódź i Białystok", "lodz bialystok"),
    ("Đurđevac", "durdevac"),
    ("Cetățenii și orașele", "Cetăţenii oraşele"),  # comma below, cedilla
    ("Integrációs műhely", "integracios muhely"),
    ("Smørrebrød på Ærø", "smorrebrod aero"),
    ("İzmir'de ISPARTA ve ışık", "izmir ısparta isik"),
    ("Ħaż-Żebbuġ", "haz zebbug"),
    ("ΟΔΟΣ ΑΘΗΝΩΝ", "οδός αθηνών"),
    ("Οδός Αθηνών", "οδοσ αθηνων"),
    ("Co-operation of clinics", "cooperation clinics"),
    ("Cooperation of clinics", "co-operation"),
    ("E-learning on islands", "elearning"),
    ("Elearning on islands", "e-learning"),
    ("L'œuvre des cœurs", "oeuvre coeurs"),
    ("Col·laboració", "collaboracio"),
    ("Jõgeva ja Võru", "jogeva voru"),
    ("naïve café", "NAÏVE CAFÉ"),
]
"""(title, question): the same words, written in another way."""

COMPOUNDS = [
    ("de", "Arbeitsmarktintegration", "Arbeitsmarkt Integration"),
    ("de", "Arbeitsmarkt-Integration", "Arbeitsmarktintegration"),
    ("de", "Integrationskurse", "Integration Kurs"),
    ("nl", "inburgeringscursus", "inburgering cursus"),
    ("nl", "taal ambassadeurs", "taalambassadeurs"),
    ("sv", "arbetsmarknadspolitik", "arbetsmarknad politik"),
    ("sv", "språkcaféer", "språk café"),
    ("da", "sprogskolen", "sprog skole"),
    ("nb", "introduksjonsprogram", "introduksjon program"),
    ("fi", "maahanmuuttopolitiikka", "maahanmuutto politiikka"),
    ("fi", "kieli kahvila", "kielikahvila"),
    ("hu", "munkaerőpiaci", "munkaerő piac"),
    ("hu", "munkaerő piac", "munkaerőpiac"),
    ("et", "keelekohvik", "keele kohvik"),
    ("el", "διαπολιτισμική", "δια πολιτισμική"),
]
"""(language, title, question): compounds joined, hyphenated, apart."""

UMLAUTS = [
    ("de", "Fachkräfte", "Fachkraefte"),
    ("de", "Wohnungslösungen", "Wohnungsloesung"),
    ("de", "Grüße aus Köln", "Gruesse Koeln"),
    ("da", "Indlæring på åbne gårde", "indlaering aabne gaarde"),
    ("da", "Grønne køkkener", "groenne koekkener"),
    ("nb", "Språkopplæring på øya", "spraakopplaering paa oeya"),
    ("sv", "Språkträning för nyanlända på lärosäten", "spraaktraening nyanlaenda"),
    ("fi", "Yhteisötyö kylässä", "yhteisoetyoe kylaessae"),
    ("et", "Tööturg", "toeoeturg"),
    ("hu", "Közösségi műhely", "koezoességi muehely"),
    ("nb", "Fjærøya", "fjaeroeya"),
]
"""(language, title, question): letters with dots and rings, typed as two."""

RIGHTS = [
    ("ca", 29, "limitació morals personalitats"),
    ("cs", 29, "povinnostech osobnosti omezení zákonem"),
    ("da", 29, "samfundets begrænsning udøvelse"),
    ("de", 29, "Beschränkung Persönlichkeiten gerechte"),
    ("el", 29, "κοινότητας περιορισμό σεβασμού νόμος"),
    ("en", 29, "limitation moral communities personalities"),
    ("es", 29, "comunidades limitación desarrollos"),
    ("et", 23, "vabad valikul tasusid"),
    ("eu", 23, "laguntzaz bereizkeria lana"),
    ("fi", 16, "avioliitossa perheensä rajoituksen"),
    ("fr", 29, "limitation communautés personnalités"),
    ("ga", 26, "gceart tuismitheoirí gcineál"),
    ("hu", 29, "közösség személyiségének szabadságok"),
    ("it", 29, "limitazione personalità doveri legge"),
    ("lt", 29, "visuomenės asmenybės laisvė"),
    ("nb", 29, "begrensning samfunnets personligheten"),
    ("nl", 26, "onderwijzen godsdienst groep"),
    ("pl", 29, "ograniczenie rozwoju swobodnie"),
    ("pt", 29, "limitação comunidades personalidades"),
    ("ro", 29, "personalitatea libertate dezvoltare"),
    ("sv", 29, "inskränkning personligheten utveckling"),
    ("tr", 29, "topluluğun hürriyeti haklar"),
]
"""(language, article of the Universal Declaration of Human Rights, question in other forms than the article's)."""
