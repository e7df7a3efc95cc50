package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LanguageIdTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          en | The harvest was late this year, and the old mill stood empty until October.
          de | Die Ernte war in diesem Jahr spät, und die alte Mühle stand bis Oktober leer.
          fr | La récolte a été tardive cette année, et le vieux moulin est resté vide jusqu'en octobre.
          es | La cosecha llegó tarde este año y el viejo molino estuvo vacío hasta octubre.
          pt | A colheita atrasou este ano e o velho moinho ficou vazio até outubro.
          it | Quest'anno il raccolto è arrivato tardi e il vecchio mulino è rimasto vuoto fino a ottobre.
          nl | De oogst was dit jaar laat, en omdat er geen graan was heeft de oude molen leeggestaan.
          pl | W tym roku żniwa były późno, a stary młyn stał pusty aż do października.
          cs | Sklizeň byla letos pozdě a starý mlýn stál prázdný až do října.
          vi | Năm nay mùa gặt đến muộn và chiếc cối xay cũ bỏ không cho đến tháng mười.
          tr | Bu yıl hasat geç geldi ve eski değirmen ekim ayına kadar boş kaldı.
          ru | Урожай в этом году был поздним, и старая мельница стояла пустой до октября.
          uk | Цього року врожай був пізнім, і старий млин стояв порожній до жовтня.
          el | Η σοδειά άργησε φέτος και ο παλιός μύλος έμεινε άδειος μέχρι τον Οκτώβριο.
          he | היבול איחר השנה, והטחנה הישנה עמדה ריקה עד אוקטובר.
          ar | تأخر الحصاد هذا العام، وبقيت الطاحونة القديمة فارغة حتى أكتوبر.
          zh | 今年的收成来得晚，老磨坊一直空到十月。
          ja | 今年は収穫が遅く、古い水車小屋は十月まで空のままだった。
          ko | 올해는 수확이 늦어서 오래된 방앗간은 시월까지 비어 있었다.
          """)
  void tellsTheLanguage(String code, String text) {
    assertThat(LanguageId.detect(text)).contains(code);
  }

  @Test
  void readsNoProgramAsEnglish() {
    String code = "```\nfor item in list: print(item) # the first of the items that we have\n```\n";
    String text = "Dieses kleine Programm gibt jedes Stück der Liste einzeln aus.\n";
    assertThat(LanguageId.detect(code.repeat(20) + text + code.repeat(20))).contains("de");
  }

  @Test
  void looksBeyondTheFirstSentence() {
    String japanese = "今年は収穫が遅く、古い水車小屋は十月まで空のままだった。".repeat(40);
    assertThat(LanguageId.detect("Continue this story please.\n" + japanese)).contains("ja");
  }

  @Test
  void saysNothingWhereThereIsNothingToTell() {
    assertThat(LanguageId.detect("")).isEmpty();
    assertThat(LanguageId.detect("3 + 5 = 8; 1, 2, 3")).isEmpty();
    assertThat(LanguageId.detect("```\nprint(1)\n```")).isEmpty();
  }
}
