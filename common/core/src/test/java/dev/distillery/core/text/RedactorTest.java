package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.testing.CountedText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RedactorTest {
  private static final Redactor ALL = new Redactor(EnumSet.allOf(PersonalData.class));
  private static final Pattern MARK = Pattern.compile("⟦([A-Z]+):([^⟧]*)⟧");

  private static List<String> labelled() throws IOException {
    try (InputStream in = RedactorTest.class.getResourceAsStream("/redaction/labelled.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .toList();
    }
  }

  private static String redact(String text) {
    return ALL.redact(text).text();
  }

  /** How many placeholders a text has, by kind. */
  private static long[] placeholders(String text) {
    var counts = new long[PersonalData.values().length];
    for (PersonalData kind : PersonalData.values()) {
      counts[kind.place()] = text.split(Pattern.quote(kind.placeholder()), -1).length - 1L;
    }
    return counts;
  }

  /**
   * Precision and recall over the labelled set, by kind: a find is right where the text around it
   * comes out as the labels have it.
   */
  @Test
  void findsWhatIsLabelledAndLeavesTheRest() throws IOException {
    var right = new long[PersonalData.values().length];
    var found = new long[right.length];
    var labels = new long[right.length];
    List<String> misses = new ArrayList<>();
    for (String line : labelled()) {
      String text = MARK.matcher(line).replaceAll(mark -> Matcher.quoteReplacement(mark.group(2)));
      String wanted =
          MARK.matcher(line)
              .replaceAll(mark -> Matcher.quoteReplacement("[" + mark.group(1) + "]"));
      Redactor.Redacted redacted = ALL.redact(text);
      long[] wants = placeholders(wanted);
      for (PersonalData kind : PersonalData.values()) {
        int i = kind.place();
        found[i] += redacted.counts()[i];
        labels[i] += wants[i];
        right[i] +=
            redacted.text().equals(wanted)
                ? wants[i]
                : Math.min(wants[i], agreeing(wanted, redacted.text(), kind));
      }
      if (!redacted.text().equals(wanted)) {
        misses.add(wanted + "\n  -> " + redacted.text());
      }
    }
    String said = Files.readString(Path.of("../../docs/curate.md"));
    for (PersonalData kind : PersonalData.values()) {
      int i = kind.place();
      double precision = right[i] / (double) found[i];
      double recall = right[i] / (double) labels[i];
      assertThat(said)
          .as(String.join("\n", misses))
          .contains(
              String.format(
                  Locale.ROOT, "| %s | %.3f | %.3f |\n", kind.optionName(), precision, recall));
      assertThat(precision).as("precision of " + kind).isGreaterThan(0.85);
      assertThat(recall).as("recall of " + kind).isGreaterThan(0.8);
    }
    long without = labelled().stream().filter(line -> !MARK.matcher(line).find()).count();
    assertThat(said)
        .contains(
            String.format(
                Locale.ROOT,
                "%d labels in %d texts, %d of them without any",
                LongStream.of(labels).sum(),
                labelled().size(),
                without));
    assertThat(misses.size()).isLessThanOrEqualTo(6);
  }

  /** Placeholders of a kind that stand in both texts after the same ten characters. */
  private static long agreeing(String wanted, String found, PersonalData kind) {
    Pattern places = Pattern.compile("(?s)(.{0,10})" + Pattern.quote(kind.placeholder()));
    Set<String> contexts =
        places.matcher(wanted).results().map(m -> m.group(1)).collect(Collectors.toSet());
    return places.matcher(found).results().filter(m -> contexts.contains(m.group(1))).count();
  }

  @Test
  void aSecondPassChangesNothing() throws IOException {
    for (String line : labelled()) {
      Redactor.Redacted once = ALL.redact(line);
      Redactor.Redacted twice = ALL.redact(once.text());
      assertThat(twice.text()).isEqualTo(once.text());
      assertThat(twice.counts()).containsOnly(0L);
    }
  }

  @Test
  void onlyWhatIsAskedForIsReplacedAndCounted() {
    var redacted =
        new Redactor(Set.of(PersonalData.EMAIL)).redact("jo@x.org, jo@y.org, +1 415 555 0132");
    assertThat(redacted.text()).isEqualTo("[EMAIL], [EMAIL], +1 415 555 0132");
    assertThat(redacted.counts()[PersonalData.EMAIL.place()]).isEqualTo(2);
    assertThat(redacted.counts()[PersonalData.PHONE.place()]).isZero();
    assertThat(new Redactor(Set.of()).redact("jo@x.org").text()).isEqualTo("jo@x.org");
  }

  @Test
  void checkDigitsDecide() {
    assertThat(redact("4111 1111 1111 1111")).isEqualTo("[CARD]");
    assertThat(redact("4111 1111 1111 1112")).isEqualTo("4111 1111 1111 1112");
    assertThat(redact("DE89370400440532013000")).isEqualTo("[IBAN]");
    assertThat(redact("DE90370400440532013000")).isEqualTo("DE90370400440532013000");
  }

  @Test
  void aPrivateKeyGoesAsAWhole() {
    assertThat(
            redact(
                """
                a
                -----BEGIN RSA PRIVATE KEY-----
                MIIEow==
                abc+/1
                -----END RSA PRIVATE KEY-----
                b\
                """))
        .isEqualTo("a\n[KEY]\nb");
  }

  @Test
  void addressesOfEveryCountryAndScriptAreFound() {
    assertThat(redact("ana@correo.com.py, ion@posta.md")).isEqualTo("[EMAIL], [EMAIL]");
    assertThat(redact("jörg@x.org, jo\u0308rg@x.org")).isEqualTo("[EMAIL], [EMAIL]");
    assertThat(redact("мария.п@x.org")).isEqualTo("[EMAIL]");
    assertThat(redact("请写信到jo@x.org谢谢")).isEqualTo("请写信到[EMAIL]谢谢");
    assertThat(redact("icon@2x.png")).isEqualTo("icon@2x.png");
  }

  /** A run of digits may be parted in many ways, and each must not be tried. */
  @Test
  void runsOfDigitsTakeFewSteps() {
    String digits = "1234567890".repeat(4);
    for (String unit : List.of(" +" + digits, " tel " + digits)) {
      for (Pattern pattern : List.of(Redactor.PHONE, Redactor.AFTER_WORD)) {
        var small = new CountedText(unit.repeat(50));
        var large = new CountedText(unit.repeat(100));
        assertThat(pattern.matcher(small).find()).isFalse();
        assertThat(pattern.matcher(large).find()).isFalse();
        assertThat(large.steps()).as(unit).isLessThan(3 * small.steps());
        assertThat(large.steps() / large.length()).as(unit).isLessThan(50);
      }
    }
    assertThat(redact("+4917123456, +49 30 1234567, tel 5550132"))
        .doesNotContainPattern("[0-9]{4}");
  }

  @Test
  void hostileTextsTakeLinearTime() {
    for (String unit :
        List.of("a@", "1 ", "AB12", "+1", "1.", "2a:", "sk-", "eyJa.", "(1)", "@a.")) {
      String text = unit.repeat(200_000 / unit.length());
      long before = System.nanoTime();
      redact(text);
      assertThat(System.nanoTime() - before).as(unit).isLessThan(20_000_000_000L);
    }
  }
}
