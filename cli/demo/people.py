"""Customers of the demonstration: addresses in several scripts, as people write them."""

from __future__ import annotations

PEOPLE: tuple[tuple[str, str, str, str, str, str], ...] = (
    # country, first name, last name, address, postal code, city
    ("SE", "Åsa", "Öberg", "Ängsvägen 7", "114 55", "Stockholm"),
    ("DE", "Jörg", "Groß", "Mühlstraße 3", "80331", "München"),
    ("GB", "Siân", "O'Neil", "221B Baker Street", "NW1 6XE", "London"),
    ("FR", "Émile", "Dœuff", "8 rue de l'Œuvre", "75001", "Paris"),
    ("GR", "Ελένη", "Παπαδοπούλου", "Ερμού 12", "105 63", "Αθήνα"),
    ("BG", "Здравко", "Петров", "ул. Шипка 34", "1504", "София"),
    ("PL", "Łucja", "Żółć", "ul. Świętokrzyska 5", "00-002", "Warszawa"),
    ("JP", "花子", "山田", "千代田1-1", "100-0001", "東京"),
    ("CN", "小明", "王", "长安街1号", "100006", "北京"),
    ("KR", "민준", "김", "세종대로 110", "04524", "서울"),
    ("EG", "ليلى", "حسن", "شارع التحرير 5", "11511", "القاهرة"),
    ("IL", "נועה", "לוי", "דיזנגוף 99", "6439602", "תל אביב"),
    ("IN", "प्रिया", "शर्मा", "गांधी मार्ग 21", "110001", "नई दिल्ली"),
    ("TH", "สมชาย", "ใจดี", "ถนนสุขุมวิท 21", "10110", "กรุงเทพฯ"),
    ("NO", "Bjørn", "Ærlig", "Tøyengata 9", "0578", "Oslo"),
    ("IS", "Þórunn", "Ásgeirsdóttir", "Laugavegur 20", "101", "Reykjavík"),
)

_FIELDS = ("country", "firstName", "lastName", "address", "zipcode", "city")


def addresses(countries: frozenset[str]) -> list[dict[str, str]]:
    """The addresses in ``countries``; people who moved to one of them when nobody lives there."""
    everybody = [dict(zip(_FIELDS, person, strict=True)) for person in PEOPLE]
    there = [address for address in everybody if address["country"] in countries]
    # A few scripts at least: who lives elsewhere has things sent to a friend.
    friends = [{**address, "country": min(countries)} for address in everybody if address not in there]
    return there + friends
