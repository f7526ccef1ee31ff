"""Speakers' labels that are roles, not names: `Front Desk`, `customer`."""

from __future__ import annotations

TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr", "prof", "sir", "madam", "lady", "lord", "herr", "frau"))
# Last words of labels that are mentioned with "the".
_ROLE_WORDS = """
accountant admin administrator adviser advisor agency agent applicant apprentice archivist assistant attendant audiologist aunt baker
bank barista bookseller boss boy bridesmaid broker builder bursar buyer caller candidate captain caretaker carpenter cashier center
centre chair chairman chairperson chairwoman chef clerk client clinic coach colleague company conductor consultant cook counsellor
counselor counter curator customer daughter dealer dentist department desk director dispatcher doctor driver editor electrician
employee engineer estimator examiner expert farmer father father-in-law fishmonger florist foreman friend gardener girl grandfather
grandmother guard guest guide handler headmaster headmistress headteacher helper host hotel housekeeper husband inspector installer
instructor interviewee interviewer janitor journalist judge juror lad landlady landlord lawyer lead leader lecturer librarian line man
manager master mechanic member merchant midwife moderator mother mother-in-law neighbor neighbour nurse office officer operator
organiser organizer owner paramedic parent partner passenger patient pharmacist pharmacy photographer physician pilot plumber police
policeman policewoman porter presenter principal printer producer professor pupil receptionist recruiter registrar rep reporter
representative researcher resident restaurant roofer sailor salesman salesperson saleswoman school seamstress secretary seller server
shop shopper singer sister skipper solicitor son speaker specialist steward stewardess store student supervisor surgeon surveyor
tailor teacher team technician teenager teller tenant therapist traveler traveller treasurer tutor umpire uncle user valuer vendor vet
vicar visitor volunteer waiter waitress warden wholesaler wife witness woman worker
"""
_ROLES = frozenset(_ROLE_WORDS.split())


def is_role(label: str) -> bool:
    """Whether a summary mentions the label with "the": `Front Desk`, `customer`; not `Dr. Baker`, not `Uncle Pete`."""
    words = label.lower().split() or [""]
    return words[-1].strip(".") in _ROLES and words[0].strip(".") not in TITLES
