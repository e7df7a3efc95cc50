package dev.distillery.core.dialogue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsKit;
import java.time.LocalDate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TemplateOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(TemplateOptions.class)
        .defaults(
            """
            template-date (none)
            template-args {}
            """)
        .arrive(
            """
            template-date 2026-11-29
            template-args {"a":1}
            """);
  }

  @Test
  void theDayIsTheRunsWhereNoneIsGiven() {
    LocalDate run = LocalDate.parse("2001-02-03");
    var options = TemplateOptions.builder();

    assertThat(options.build().on(run).date()).isEqualTo("2001-02-03");
    assertThat(options.templateDate("2026-11-29").build().on(run).day())
        .hasValue(LocalDate.parse("2026-11-29"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '#',
      value = {
        "{} | 29.11.2026 | --template-date: expected a day such as 2026-11-29, found '29.11.2026'",
        "{} | 2026-02-30 | --template-date",
        "[1] | 2026-11-29 | --template-args: expected a JSON object, found '[1]'",
        "enable_thinking | 2026-11-29 | --template-args: expected a JSON object",
        "{'a': 1} x | 2026-11-29 | --template-args: expected a JSON object",
        "{'a': 1, 'a': 2} | 2026-11-29 | --template-args: expected a JSON object",
        "{'messages': []} | 2026-11-29 | a template gets messages from the dialogue",
        "{'strftime_now': 1} | 2026-11-29 | a template gets strftime_now from the dialogue"
      })
  void whatIsNoDayOrNoObjectIsRefused(String args, String day, String words) {
    var options = TemplateOptions.builder().templateArgs(args.replace('\'', '"')).templateDate(day);

    assertThat(options.build().violations()).singleElement().asString().contains(words);
  }
}
