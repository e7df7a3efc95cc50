package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.spark.job.Job;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** One option's name means one thing in all jobs: type, bounds, default and description. */
class OptionNamesTest {
  /** The names that mean more than one, each with its reason. This list only shrinks. */
  private static final Map<String, String> REASONS =
      Map.ofEntries(
          Map.entry("adapter", "Export merges one, training goes on with one"),
          Map.entry("against", "Dedup's is a pool, judge's the answers of the other side"),
          Map.entry("api-key-env", "Serve asks clients for it, a teacher is given it"),
          Map.entry("concurrency", "Serve writes so many answers, a teacher is asked so often"),
          Map.entry("host", "Serve answers whoever asks, rate raters alone"),
          Map.entry("max-new-tokens", "Chat's is of a turn, and larger"),
          Map.entry("port", "Serve's is one that clients know, rate's any that is free"),
          Map.entry("request-timeout", "Serve's is of an answer, a teacher's of a try"),
          Map.entry("system", "Chat begins with it, others put it before each row"),
          Map.entry("chat-template", "Export writes one, a student is asked in one"),
          Map.entry("dtype", "Export stores so, training holds frozen weights so"),
          Map.entry("form", "Judge's is what a model is asked, rate's what people are"),
          Map.entry("format", "Export's is of a model, rate's of what people are shown"),
          Map.entry("input", "Each job says which tables or files it reads"),
          Map.entry("model", "Each job says which forms of a model it takes"),
          Map.entry("output", "Each job says what it writes there"),
          Map.entry("teacher", "Evaluate asks students where it says nothing"),
          Map.entry("temperature", "Generate samples new tasks only, up to 2"),
          Map.entry("template", "Complete's is of a prompt, sft's of a dialogue"),
          Map.entry("tokenizer", "Export takes a file; the others cut words to compare them"),
          Map.entry("top-p", "Generate samples new tasks only"));

  @Test
  void oneNameMeansOneThing() {
    var meanings = new TreeMap<String, TreeMap<String, TreeSet<String>>>();
    for (Job<?, ?> job : ServiceLoader.load(Job.class)) {
      OptionsKit.meanings(job.optionsType())
          .forEach(
              (name, meaning) ->
                  meanings
                      .computeIfAbsent(name, unused -> new TreeMap<>())
                      .computeIfAbsent(meaning, unused -> new TreeSet<>())
                      .add(job.name()));
    }
    assertThat(meanings).containsKeys("warehouse", "model", "threshold");
    meanings.values().removeIf(each -> each.size() == 1);
    assertThat(meanings.keySet())
        .as("Options that mean several things: " + meanings)
        .containsExactlyInAnyOrderElementsOf(REASONS.keySet());
  }

  @Test
  void whatAnOptionHasAnEffectWithIsAnOptionToo() {
    for (Job<?, ?> job : ServiceLoader.load(Job.class)) {
      assertThat(OptionsKit.danglingConditions(job.optionsType()))
          .as(job.name())
          .isEqualTo(List.of());
    }
  }
}
