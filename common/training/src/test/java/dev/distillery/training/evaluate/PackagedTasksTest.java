package dev.distillery.training.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.sample.Student;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class PackagedTasksTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int FEWEST_OWN = 50;

  private static EvalTask task(String name) {
    List<TaskFile> files = TaskFiles.of(List.of(name), new Configuration(false));
    assertThat(files).hasSize(1);
    return files.get(0).task();
  }

  @Test
  void everyPackagedTaskIsReadAndEveryGroupNamesSuch() {
    assertThat(TaskFiles.names()).doesNotHaveDuplicates();
    for (String name : TaskFiles.names()) {
      EvalTask task = task(name);
      assertThat(task.name()).isEqualTo(name);
      assertThat(task.about()).as(name).isNotEmpty();
    }
    assertThat(TaskFiles.groups())
        .containsExactly("arithmetic", "scramble", "gpt-papers", "llama-paper");
    Set<String> grouped = new HashSet<>();
    for (String group : TaskFiles.groups()) {
      TaskFiles.of(List.of(group), new Configuration(false))
          .forEach(file -> grouped.add(file.origin()));
    }
    assertThat(grouped).containsExactlyInAnyOrderElementsOf(TaskFiles.names());
  }

  /** GPT-1 was trained for CoLA and RACE before it was measured by them. */
  @Test
  void besideTasksOfPapersStandThePapersFigures() {
    List<String> without = new ArrayList<>();
    for (TaskFile file : TaskFiles.of(List.of("gpt-papers"), new Configuration(false))) {
      if (file.task().published().isEmpty()) {
        without.add(file.task().name());
      }
    }
    assertThat(without).containsExactly("own-acceptability", "own-reading");
    assertThat(task("own-french-english").published().values()).containsExactly("11.5");
    assertThat(task("arithmetic-2ds").published())
        .containsEntry("GPT-3 175B, few-shot", "98.9%")
        .containsEntry("GPT-3 13B, few-shot", "about half");
  }

  @Test
  void itemsOfOurOwnAreManyAndDifferentAndFitTheirTask() {
    List<String> own = TaskFiles.names().stream().filter(name -> name.startsWith("own-")).toList();
    assertThat(own).hasSize(8);
    for (String name : own) {
      EvalTask task = task(name);
      ItemGenerator items = ((EvalTask.Input.Generated) task.input()).generator();
      assertThat(items).isEqualTo(new PackagedItems(name));
      assertThat(items.columns()).as(name).containsAll(task.columns());
      List<Example> examples =
          LongStream.range(0, items.items())
              .mapToObj(i -> new Example(Long.toString(i), items.row(0, i).toString()))
              .toList();
      assertThat(examples).extracting(Example::row).as(name).doesNotHaveDuplicates();
      // A shot is another item that asks something else: all are.
      assertThat(ItemEvaluator.different(task, examples))
          .as(name)
          .isEqualTo(examples.size())
          .isGreaterThanOrEqualTo(FEWEST_OWN);
      assertNoPlaceIsFavoured(task, items);
    }
  }

  /** Who always takes the same choice is not much better than chance. */
  private static void assertNoPlaceIsFavoured(EvalTask task, ItemGenerator items) {
    int[] right = new int[4];
    int choices = 0;
    for (long i = 0; i < items.items(); i++) {
      Item item = Item.of(task, Long.toString(i), items.row(0, i));
      choices = item.continuations().size();
      right[item.right()]++;
    }
    for (int i = 0; i < choices && choices > 1; i++) {
      assertThat(right[i] * (double) choices / items.items())
          .as("%s, choice %d", task.name(), i)
          .isBetween(0.6, 1.4);
    }
  }

  /** golden/tasks.json by make_task_goldens.py. */
  @Test
  void theSuiteIsShownAsByLmEvaluationHarness() throws IOException {
    try (InputStream in = PackagedTasksTest.class.getResourceAsStream("/golden/tasks.json");
        Student student =
            Student.open(
                FetchedModel.root().resolve("common/model/src/test/resources/golden/student"), 1)) {
      JsonNode golden = JSON.readTree(in);
      assertThat(golden).hasSize(9);
      for (var each : golden.properties()) {
        EvalTask task = task(each.getKey());
        ItemPrompts prompts = new ItemPrompts(task, student, Optional.empty(), false);
        List<Item> shots = new ArrayList<>();
        for (JsonNode row : each.getValue().path("shots")) {
          shots.add(Item.of(task, "shot", row));
        }
        assertThat(shots).hasSize(2);
        assertThat(task.stop()).isEqualTo(texts(each.getValue().path("stop")));
        assertThat(each.getValue().path("docs")).hasSize(3);
        for (JsonNode doc : each.getValue().path("docs")) {
          Item item = Item.of(task, "item", doc.path("row"));
          assertShown(task, prompts, item, List.of(), doc.path("zero"));
          assertShown(task, prompts, item, shots, doc.path("two"));
          if (task.generates()) {
            assertThat(item.answers()).isEqualTo(texts(doc.path("right")));
          } else {
            assertThat(item.right()).as("%s", doc).isEqualTo(doc.path("right").intValue());
          }
        }
      }
    }
  }

  private static void assertShown(
      EvalTask task, ItemPrompts prompts, Item item, List<Item> shots, JsonNode asked) {
    assertThat(asked).hasSize(Math.max(1, item.continuations().size()));
    for (int i = 0; i < asked.size(); i++) {
      assertThat(prompts.shown(item, i, shots).text()).isEqualTo(asked.path(i).path(0).asText());
      if (!task.generates()) {
        assertThat(task.delimiter() + item.continuations().get(i))
            .isEqualTo(asked.path(i).path(1).asText());
      }
    }
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(each -> texts.add(each.asText()));
    return texts;
  }
}
