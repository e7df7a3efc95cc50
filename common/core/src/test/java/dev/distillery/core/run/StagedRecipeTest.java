package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StagedRecipeTest {
  private static final String TEXT =
      """
      about: Two stages.
      not-yet: [a third]
      variables:
        dir: ${out}/models
        rows:
        model: ""
        never:
      settings:
        small: {rows: 30}
        full: {rows: 52000, model: big}
      stages:
        tasks:
          job: generate
          options:
            num-instructions: ${rows}
            model: ${model}
        student:
          job: sft
          options:
            input: [instructions@tasks=2, instructions@other, "a/b@tasks"]
            output-dir: ${dir}/${setting}
            extra-body: {n: 1, text: "${rows}"}
          spark: {spark.executor.memory: 8g}
      """;

  private static final Map<String, String> CALL = Map.of("run", "r1", "out", "o");

  private static StagedRecipe read(String text, Map<String, String> set) {
    return StagedRecipe.read("r.yaml", text, set, CALL);
  }

  @Test
  void theFirstSettingIsTakenAndVariablesStandInEachOther() {
    StagedRecipe recipe = read(TEXT, Map.of());
    assertThat(recipe.about()).isEqualTo("Two stages.");
    assertThat(recipe.notYet()).containsExactly("a third");
    assertThat(recipe.variables())
        .containsEntry("setting", "small")
        .containsEntry("dir", "o/models")
        .containsEntry("rows", "30")
        .doesNotContainKey("never");
    assertThat(recipe.stages())
        .extracting(StagedRecipe.Stage::name)
        .containsExactly("tasks", "student");
    assertThat(recipe.stages().get(0).options())
        .as("an option whose variable is empty is left out")
        .isEqualTo(Map.of("num-instructions", List.of("30")));
    StagedRecipe.Stage student = recipe.stages().get(1);
    assertThat(student.values("input"))
        .as("a stage's run, a run of the warehouse, a path")
        .containsExactly("instructions@r1.tasks=2", "instructions@other", "a/b@tasks");
    assertThat(student.values("output-dir")).containsExactly("o/models/small");
    assertThat(student.values("extra-body")).containsExactly("{\"n\":1,\"text\":\"30\"}");
    assertThat(student.spark()).isEqualTo(Map.of("spark.executor.memory", "8g"));
  }

  @Test
  void whatIsSetStandsOverTheSetting() {
    StagedRecipe recipe = read(TEXT, Map.of("setting", "full", "rows", "7"));
    assertThat(recipe.stages().get(0).options())
        .isEqualTo(Map.of("num-instructions", List.of("7"), "model", List.of("big")));
  }

  @Test
  void allThatIsWrongIsListedAtOnce() {
    assertThatThrownBy(
            () ->
                read(
                    """
                    abuot: x
                    variables: {a: "${b}", b: "${a}", need: , odd: [1]}
                    stages:
                      first:
                        job: curate
                        options: {input: instructions@second, table: "${need}", x: "${nobody}"}
                        spark: {spark.driver.memory: 8g}
                      second:
                        options: {input: instructions@second, y: [[1]]}
                      Third: {job: dedup}
                    """,
                    Map.of("sead", "1")))
        .isInstanceOf(JobException.class)
        .hasMessageContainingAll(
            "r.yaml: Unknown key 'abuot'; known: about",
            "Variables name each other in a circle: a, b",
            "Variable 'odd': expected a value, found [",
            "Variable 'need' has no value: give --set need=VALUE",
            "Stage 'first', option 'x': Unknown variable 'nobody'",
            "Option --set: Unknown variable 'sead'",
            "Stage 'first', option 'input': reads instructions@second, which comes later",
            "Stage 'second', option 'input': reads instructions@second, which it makes itself",
            "Stage 'second', option 'y': expected a value or a list of values",
            "Stage 'second': has no job",
            "Stage 'first': spark.driver.memory cannot be set for a stage",
            "Stage 'Third': expected a name that matches");
  }

  @Test
  void aRecipeOfOptionsIsNoPipeline() {
    assertThatThrownBy(() -> read("learning-rate: 2e-5\n", Map.of()))
        .hasMessage("r.yaml: Has no stages; options of one job are for that job's --config");
    assertThatThrownBy(() -> read("- a\n", Map.of())).hasMessageContaining("Has no stages");
  }

  @Test
  void anUnknownSettingIsNamed() {
    assertThatThrownBy(() -> read(TEXT, Map.of("setting", "smal")))
        .hasMessageContaining("expected one of small, full, found 'smal'; did you mean small?");
  }

  @Test
  void nothingOfAnotherFormIsPassedOver() {
    assertThatThrownBy(
            () ->
                read(
                    """
                    about: {a: b}
                    not-yet: [[x]]
                    variables: [a]
                    settings: {small: [a], big: {list: [1], run: x}}
                    stages:
                      first: {job: curate, options: [input], spark: [x]}
                      second: {job: curate, spark: {spark.a: {b: c}}}
                    """,
                    Map.of("setting", "big")))
        .hasMessageContainingAll(
            "'about': expected a text or a list of texts, found {\"a\"",
            "'not-yet': expected a text or a list of texts",
            "'variables': expected a mapping",
            "Setting 'small': expected a mapping",
            "Variable 'list': expected a value, found [",
            "Variable 'run': this name is given already",
            "Stage 'first', 'options': expected a mapping",
            "Stage 'first', 'spark': expected a mapping");
    assertThatThrownBy(() -> read("stages: {}\n", Map.of())).hasMessageContaining("has none");
    assertThatThrownBy(() -> read("stages: [a]\n", Map.of()))
        .hasMessageContaining("'stages': expected a mapping");
  }
}
