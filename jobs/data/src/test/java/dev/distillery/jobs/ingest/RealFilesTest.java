package dev.distillery.jobs.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.distillery.core.run.JobException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Files as their sources publish them, which lie beside the repository and not in it. How many
 * units each holds was counted by Python's json and by the lines of the dumps.
 */
class RealFilesTest {
  private static final Path DATA = repository().resolve("../shared/data");

  @TempDir Path warehouse;

  private static Path repository() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("jobs/data/pom.xml"))) {
      folder = folder.getParent();
    }
    return folder;
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          alpaca              | alpaca-52k-en-shards/*.json                    | 52002 | 51900
          alpaca              | alpaca-zh-shards/*.json                        | 10021 | 9900
          alpaca              | llamafactory/alpaca_en_demo.json               | 999   | 950
          alpaca              | machine-generated/regen_doffery.json           | 1161  | 1100
          alpaca              | alpaca-eval/outputs_*.json                     | 1610  | 1550
          self-instruct-seeds | self-instruct/seed_tasks.jsonl                 | 175   | 175
          self-instruct-seeds | self-instruct/user_oriented_instructions.jsonl | 252   | 252
          self-instruct       | self-instruct/pred_*.jsonl                     | 756   | 700
          self-instruct       | machine-generated/machine_generated_*.jsonl    | 111   | 100
          sharegpt            | sharegpt/fastchat_dummy_conversation.json      | 500   | 290
          sharegpt            | sharegpt/dialogstudio_original.json            | 5     | 1
          sharegpt            | sharegpt/mnbvc_common_en_sample_230805.json    | 5     | 1
          sharegpt            | sharegpt/mnbvc_multilang_sample_230914.json    | 6     | 1
          sharegpt            | sharegpt/mnbvc_vicuna_sample_230629.json       | 11    | 1
          sharegpt            | sharegpt/ronsor_card_html_1row.json            | 1     | 1
          hc3                 | hc3/wiki_csai_1row.jsonl                       | 2     | 2
          hc3                 | hc3/authenticheck_test.jsonl                   | 2122  | 2000
          hh-rlhf             | hh-rlhf/harmless-base-test.jsonl.gz            | 2312  | 2200
          stackexchange       | stackexchange/coffee_Posts.xml                 | 592   | 100
          stackexchange       | stackexchange/skelton_Posts.xml                | 672   | 100
          preferences         | llamafactory/dpo_en_demo.json                  | 300   | 290
          preferences         | llamafactory/oaast_rm_zh.json                  | 775   | 700
          preferences         | llmbar/*.json                                  | 300   | 290
          preferences         | alpaca-eval/annotations_*.json                 | 805   | 700
          preferences         | open-instruct-samples/preference_sample.jsonl  | 100   | 90
          openai-messages     | llamafactory/kto_en_demo.json                  | 300   | 290
          document-files      | tinyshakespeare/input.txt                      | 1     | 1
          """)
  void everyUnitIsAccountedFor(String source, String files, long units, long leastKept) {
    Path folder = DATA.resolve(files).getParent();
    assumeTrue(Files.isDirectory(folder), () -> "SKIPPED, the data is not there: " + folder);
    List<String> arguments =
        new ArrayList<>(List.of("--source", source, "--input", DATA.resolve(files).toString()));
    if (source.equals("stackexchange")) {
      arguments.addAll(List.of("--site", "coffee.stackexchange.com"));
    }
    IngestSummary summary = Ingests.run(warehouse, arguments.toArray(String[]::new));
    long duplicates = Ingests.table(summary, "duplicates").count();
    long rejects = Ingests.table(summary, "rejects").count();
    long kept = Ingests.figure(summary, "units_kept");
    assertThat(Ingests.figure(summary, "units_in")).isEqualTo(units);
    assertThat(kept + duplicates + rejects).isEqualTo(units);
    assertThat(kept).isGreaterThanOrEqualTo(leastKept);
  }

  @Test
  void saysThatAFileOfQuestionsAloneHoldsNoDialogue() {
    Path file = DATA.resolve("sharegpt/fidbench_sharegpt.jsonl");
    assumeTrue(Files.exists(file), () -> "SKIPPED, the data is not there: " + file);
    assertThatThrownBy(
            () -> Ingests.run(warehouse, "--source", "sharegpt", "--input", file.toString()))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("No conversations of 4 can be used: {too_short=4}");
  }
}
