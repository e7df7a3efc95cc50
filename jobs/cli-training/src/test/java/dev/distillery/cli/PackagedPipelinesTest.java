package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.StagedRecipe;
import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every packaged pipeline, in each of its settings, is one that its jobs take. */
class PackagedPipelinesTest {
  private static final Path RECIPES = FetchedModel.root().resolve("conf/recipes");
  private static final Pattern MISSING = Pattern.compile("Variable '([^']+)' has no value");

  static Stream<String> pipelines() throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> files = Files.list(RECIPES)) {
      for (Path file : files.sorted().toList()) {
        if (Files.readString(file).contains("\nstages:")) {
          names.add(file.getFileName().toString().replace(".yaml", ""));
        }
      }
    }
    assertThat(names).hasSizeGreaterThanOrEqualTo(6);
    return names.stream().flatMap(name -> Stream.of(name + " small", name + " full"));
  }

  @ParameterizedTest
  @MethodSource("pipelines")
  void itsStagesBind(String what) {
    String recipe = what.split(" ")[0];
    var set = new LinkedHashMap<>(Map.of("setting", what.split(" ")[1]));
    List<PipelineStage<?, ?>> stages = stages(recipe, set);
    assertThat(stages).hasSizeGreaterThanOrEqualTo(3);
    for (int i = 1; i < stages.size(); i++) {
      PipelineStage<?, ?> stage = stages.get(i);
      if (!stage.job().name().equals("ingest")) {
        assertThat(stages.subList(0, i)).as(stage.name()).anyMatch(stage::reads);
      }
    }
  }

  /** Gives each variable that the recipe leaves open a value. */
  private static List<PipelineStage<?, ?>> stages(String recipe, Map<String, String> set) {
    var tool =
        new CommandLineTool(
            System.out, System.err, ProgressListener.standardError(), Clock.systemUTC());
    PipelineCommand command =
        tool.commands().stream()
            .filter(PipelineCommand.class::isInstance)
            .map(PipelineCommand.class::cast)
            .findFirst()
            .orElseThrow();
    var options =
        new PipelineOptions(
            OptionsBinder.defaults(RunOptions.class),
            recipe,
            List.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    String text = CommandArguments.recipeText("--recipe", recipe);
    Map<String, String> call = Map.of("run", "r", "warehouse", "warehouse", "out", "out/r");
    while (true) {
      try {
        return command.bind(StagedRecipe.read(recipe, text, set, call), options, "r");
      } catch (JobException e) {
        Matcher missing = MISSING.matcher(String.valueOf(e.getMessage()));
        boolean any = false;
        while (missing.find()) {
          any |= set.put(missing.group(1), given(missing.group(1))) == null;
        }
        if (!any) {
          throw e;
        }
      }
    }
  }

  private static String given(String variable) {
    return variable.endsWith("url") ? "http://localhost/v1" : "/given/" + variable;
  }
}
