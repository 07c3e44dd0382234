"""What the fixed choices of a record are called, in English; whoever shows them translates them."""

from __future__ import annotations

from kb.formats import citation
from kb.models import AuthorityRole, Evidence, FundingSource, Level, OrganisationType, Status
from kb.services.errors import N_

LEVEL = {
    Level.LOCAL: N_("Local"),
    Level.REGIONAL: N_("Regional"),
    Level.CROSS_BORDER: N_("Cross-border"),
    Level.NATIONAL: N_("National"),
}

STATUS = {
    Status.PLANNED: N_("Planned"),
    Status.PILOT: N_("Pilot"),
    Status.RUNNING: N_("Running"),
    Status.MAINSTREAMED: N_("Part of normal work"),
    Status.ENDED: N_("Ended"),
    Status.DISCONTINUED: N_("Stopped"),
}

EVIDENCE = {
    Evidence.NONE: N_("No evaluation"),
    Evidence.MONITORING: N_("Monitoring"),
    Evidence.SELF_EVALUATION: N_("Self-evaluation"),
    Evidence.EXTERNAL_EVALUATION: N_("External evaluation"),
    Evidence.COUNTERFACTUAL: N_("Comparison group"),
}

AUTHORITY_ROLE = {
    AuthorityRole.LEADER: N_("Leader"),
    AuthorityRole.COORDINATOR: N_("Coordinator"),
    AuthorityRole.PARTNER: N_("Partner"),
    AuthorityRole.FUNDER: N_("Funder"),
    AuthorityRole.SUPPORTER: N_("Supporter"),
    AuthorityRole.ADVISER: N_("Adviser"),
}

ORGANISATION = {
    OrganisationType.REGIONAL_AUTHORITY: N_("Regional authority"),
    OrganisationType.LOCAL_AUTHORITY: N_("Local authority"),
    OrganisationType.AGENCY: N_("Public agency"),
    OrganisationType.NGO: N_("Non-profit organisation"),
    OrganisationType.UNIVERSITY: N_("University or research body"),
    OrganisationType.BUSINESS: N_("Business"),
    OrganisationType.OTHER: N_("Other organisation"),
}

FUNDING = {
    FundingSource.AMIF: N_("Asylum, Migration and Integration Fund (AMIF)"),
    FundingSource.ESF: N_("European Social Fund (ESF)"),
    FundingSource.ERDF: N_("European Regional Development Fund (ERDF)"),
    FundingSource.INTERREG: N_("Interreg"),
    FundingSource.ERASMUS: N_("Erasmus+"),
    FundingSource.OTHER_EU: N_("Other money of the European Union"),
    FundingSource.NATIONAL: N_("National budget"),
    FundingSource.REGIONAL: N_("Regional budget"),
    FundingSource.LOCAL: N_("Local budget"),
    FundingSource.PRIVATE: N_("Private money"),
    FundingSource.OTHER: N_("Other money"),
}

LICENCES = {
    "CC-BY-4.0": ("CC BY 4.0", citation.LICENCES["CC-BY-4.0"]),
    "CC-BY-SA-4.0": ("CC BY-SA 4.0", citation.LICENCES["CC-BY-SA-4.0"]),
    "CC0-1.0": ("CC0 1.0", citation.LICENCES["CC0-1.0"]),
}
"""Name and address of each licence; names of licences are not translated."""
