"""The simulated learners. Nobody here is real; what they share differs as it does among people."""

from dataclasses import dataclass

PASSWORD = "lantern"
OPERATOR = "olga"  # may use the admin
VISITOR = "ada"  # the account for whoever tries the site out; never simulated


@dataclass(frozen=True)
class Learner:
    first_name: str
    city: str
    share_city: bool

    @property
    def username(self) -> str:
        return f"{self.first_name}.{self.city}".lower().replace(" ", "-")


_PEOPLE = """
Amara Lagos, Aiko Kyoto, Alejandro Bogotá, Amina Tunis, Anders Bergen, Anouk Ghent, Arjun Pune,
Astrid Malmö, Beatriz Porto, Bjarni Reykjavík, Camille Nantes, Carlos Valencia, Chiara Turin,
Chinedu Enugu, Daniel Haifa, Daria Gdańsk, Dewi Bandung, Diego Rosario, Elif Izmir, Emeka Abuja,
Emma Utrecht, Esi Kumasi, Farid Lahore, Fatima Fes, Finn Aarhus, Freya Leeds, Giulia Bologna,
Hana Brno, Hassan Amman, Hye-jin Busan, Ines Lyon, Ivan Varna, Jamal Dakar, Jonas Leipzig, Kaito
Sapporo, Katarina Split, Kofi Accra, Lars Turku, Leila Beirut, Liam Galway, Linh Hanoi, Lucía
Quito, Mateo Montevideo, Maya Auckland, Mehmet Bursa, Mei Taipei, Miriam Basel, Nadia Tashkent,
Niamh Cork, Noor Rotterdam, Olena Lviv, Oscar Oaxaca, Priya Chennai, Rosa Valparaíso, Samuel
Kampala, Sofia Tartu, Tariq Muscat, Thabo Durban, Yara Recife, Zofia Kraków
"""


def _read(entry: str, number: int) -> Learner:
    first_name, city = entry.split(maxsplit=1)
    return Learner(
        first_name, city, share_city=number % 3 != 0
    )  # two of three let others see their city


LEARNERS = [
    _read(entry, number)
    for number, entry in enumerate(_PEOPLE.replace("\n", " ").strip().split(", "))
]
