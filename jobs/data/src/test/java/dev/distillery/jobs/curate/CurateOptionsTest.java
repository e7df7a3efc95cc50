package dev.distillery.jobs.curate;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CurateOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(CurateOptions.class, RunOptions.class)
        .defaults(
            """
            input (required)
            table instructions
            filter (none)
            redact (none)
            decontaminate (none)
            as (none)
            split (none)
            take-split (none)
            cap 0
            output-table (none)
            export (none)
            export-format parquet
            """)
        .arrive(
            """
            input preferences@a=2
            table documents
            filter length:min-words=3
            redact email,phone
            decontaminate eval.jsonl
            as conversations
            split train=0.9,test=0.1
            take-split train
            cap 100
            output-table clean
            export out
            export-format jsonl
            """);
  }

  @Test
  void allThatIsWrongIsSaidAtOnce() {
    assertThatThrownBy(
            () ->
                OptionsBinder.of(CurateOptions.class)
                    .bind(
                        Map.of(
                            "input", List.of("instructions"),
                            "filter", List.of("refusals", "score"),
                            "redact", List.of("mail"),
                            "split", List.of("train=0.9,test=0.2"),
                            "export-format", List.of("jsonl"))))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("no filter is called 'refusals'; did you mean refusal?")
        .hasMessageContaining("'score': expected min, max or both")
        .hasMessageContaining("expected some of key, email, iban, card, ip, phone, found 'mail'")
        .hasMessageContaining("expected shares with the sum 1, found 1.1")
        .hasMessageContaining("Option --export-format: expected only with --export");
    assertThatThrownBy(
            () ->
                OptionsBinder.of(CurateOptions.class)
                    .bind(
                        Map.of(
                            "input", List.of("instructions"),
                            "split", List.of("train=0.9,test=0.1"),
                            "take-split", List.of("dev"))))
        .hasMessageContaining("Option --take-split: expected some of train, test, found 'dev'");
    assertThatThrownBy(
            () ->
                OptionsBinder.of(CurateOptions.class)
                    .bind(
                        Map.of(
                            "input", List.of("conversations"),
                            "take-split", List.of("two words"),
                            "export", List.of("out"))))
        .hasMessageContaining(
            "Option --take-split: 'two words' is no name of a split that --export can write");
  }
}
