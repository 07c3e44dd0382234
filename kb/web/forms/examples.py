"""A good example beside each field of the practice form.

They tell one practice, so that one sees what belongs where: ACOL, Catalonia's subsidised contracts, shortened from the
seed. What it does not have is taken from others of the seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

EXAMPLES: Mapping[str, Any] = {
    "title": _("One-year subsidised contracts that open a residence permit for people without papers"),
    "original_title": _("Programa Treball i Formació, línia ACOL"),
    "summary": _(
        "Since 2018 the public employment service of Catalonia has paid non-profit bodies, and since 2022 towns as "
        "well, to hire people without papers for twelve months, full time, with individual support. The contract is "
        "the missing piece that lets them apply for a residence and work permit. The programme grew from 86 "
        "contracts and 1.5 million euro to some 650 contracts and 19 million euro a year."
    ),
    "place": _("Osona county"),
    "lead_organisation": _("Servei Públic d’Ocupació de Catalunya, an agency: the body that decides and pays."),
    "partners": _("Town halls and county councils; non-profit bodies that hire; the department for migration."),
    "context": _(
        "National law gives a permit after three years in the country to whoever has a job offer. Without papers "
        "nobody can lawfully hire, so people stay in informal care, street vending or scrap collection. The "
        "pandemic left them without any income."
    ),
    "objectives": _(
        "Give people without papers a lawful first job and, through it, a permit. Improve their skills and their "
        "chances afterwards. Make social organisations and town halls stronger as employers."
    ),
    "actions": _(
        "There is a call each year. The employer chooses candidates by social criteria and files the application "
        "for the permit. The employment service then pays twelve months at the minimum wage and, on request, hours "
        "of support. Training is part of working time. In one county an alliance of employers matches people and "
        "posts."
    ),
    "results": _(
        "86 contracts in 2018, more than 900 people by January 2022 (press), about 650 contracts a year in 2024. In "
        "one county 32 people were hired and got their papers in 2022. One place cost about 21,500 euro. The "
        "figures are those of the employment service and of the press."
    ),
    "difficulties": _(
        "Some town halls refuse to register people without documents, which shuts out people who would fit. Demand "
        "is higher than the number of places: one advice centre prepared 141 candidates and saw 42 chosen. The call "
        "of 2024 came so late that contracts slipped to the next year."
    ),
    "lessons": _(
        "Where several employers of one county shared candidates and posts, all were content and more joined the "
        "year after. Documents are now asked for once a place is offered, and no longer with the application. "
        "Employers value workers who share experience and language with the people they serve."
    ),
    "transferability": _(
        "It needs a national law that leads from a job offer to a permit. Where there is one, a region that is in "
        "charge of employment can supply the job offer. It needs employers who can train, and about 21,500 euro a "
        "place."
    ),
    "evidence": _(
        "Monitoring: the service counts contracts and permits. External evaluation: a university asked the "
        "participants before and after. Comparison group: how many are in work a year later, among participants and "
        "among people like them who did not take part."
    ),
    "indicators": _(
        "What was counted: participants with a lasting job. Before: 26. Value reached: 60. Unit: per cent. Year: "
        "2014. Where it can be checked: the address of the evaluation."
    ),
    "beneficiaries": _("900, and in the results: “more than 900 people hired from 2018 to January 2022”"),
    "budget_eur": _("19000000, and in the results: “what one yearly call cost in 2024”"),
    "funding": _(
        "European Social Fund, no amount known, note: with money of the region. Regional budget, 1500000, note: "
        "first call, 2018."
    ),
    "themes": _(
        "Main theme: Labour inclusion. Further themes: Rights and legal status; Skills and recognition of "
        "qualifications. Leave out what the practice only touches."
    ),
    "target_groups": _(
        "People without papers, because they are hired, and employers, because they are paid and advised; not "
        "everybody who hears of it."
    ),
    "sources": _(
        "Evaluation of the pilot, University of Uppsala, 2021, with the address of the page or the PDF: not that of "
        "the front page."
    ),
    "links": _("The page of the yearly call; a film of three minutes; the handbook for employers."),
    "translations": _(
        "English. Title: One-year subsidised contracts that open a residence permit. Summary: the one above, in "
        "English."
    ),
    "attribution": _("Servei Públic d’Ocupació de Catalunya"),
    "contact": _("Role: officer in charge of the call. Address: a mailbox of the unit, which stays when people leave."),
}
