package dev.distillery.training.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TokenSequence;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * What the student answers to the first held-out rows, before training and at each evaluation, the
 * likeliest token each time, or as the stepper answers them. A prompt is what stands in a row
 * before its first learned token; of a text that is learned from its beginning, its first tokens.
 * {@code samples/samples-<step>.jsonl} in the output folder holds them: {@code prompt}, {@code
 * answer}, {@code expected}, and figures that the stepper gives.
 */
final class Samples {
  private static final String FOLDER = "samples";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Tokens of a prompt that a row does not set apart itself. */
  private static final int TEXT_TOKENS = 16;

  /** Characters of an answer that a line of progress shows. */
  private static final int SHOWN = 120;

  private final List<int[]> prompts;
  private final List<String> expected;
  private final int most;
  private final int[] stops;
  private final Tokenizer tokenizer;

  private Samples(
      List<int[]> prompts, List<String> expected, int most, int[] stops, Tokenizer tokenizer) {
    this.prompts = prompts;
    this.expected = expected;
    this.most = most;
    this.stops = stops;
    this.tokenizer = tokenizer;
  }

  /**
   * Prompts of the first rows; none of a model that writes no text.
   *
   * @param files of the model, for its tokenizer
   */
  static Optional<Samples> of(
      ModelFiles files, boolean writes, TokenRows rows, SavingOptions options) throws IOException {
    if (!writes || options.samplePrompts() == 0 || !hasTokenizer(files)) {
      return Optional.empty();
    }
    Tokenizer tokenizer = Tokenizers.of(files);
    List<int[]> prompts = new ArrayList<>();
    List<String> expected = new ArrayList<>();
    for (long r = 0; r < rows.size() && prompts.size() < options.samplePrompts(); r++) {
      TokenSequence row = rows.row(r);
      int end = row.starts().length > 1 ? row.starts()[1] : row.ids().length;
      int from = 1;
      while (from < end && row.weights()[from] == 0) {
        from++;
      }
      int to = from;
      while (to < end && row.weights()[to] > 0) {
        to++;
      }
      if (from == 1) {
        from = Math.min(TEXT_TOKENS, end / 2);
      }
      // A row of which nothing is learned is a prompt as a whole.
      boolean wholePrompt = from == end && end > 0 && row.weights()[end - 1] == 0;
      if (from > 0 && (from < end || wholePrompt) && from < files.config().maxPositions()) {
        prompts.add(Arrays.copyOf(row.ids(), from));
        expected.add(
            text(
                tokenizer,
                Arrays.copyOfRange(row.ids(), from, Math.min(to, from + options.sampleTokens()))));
      }
    }
    int[] stops = files.specialTokens().stop().stream().mapToInt(Integer::intValue).toArray();
    return prompts.isEmpty()
        ? Optional.empty()
        : Optional.of(new Samples(prompts, expected, options.sampleTokens(), stops, tokenizer));
  }

  /** A checkpoint that training alone made may have none. */
  private static boolean hasTokenizer(ModelFiles files) {
    try {
      var unused = Tokenizers.of(files);
      return true;
    } catch (IOException | IllegalArgumentException e) {
      return false;
    }
  }

  private static String text(Tokenizer tokenizer, int[] ids) {
    return tokenizer.decode(ids, false);
  }

  /**
   * Answers, and writes the answers of a step.
   *
   * @return a line for the progress
   */
  String take(long step, Stepper stepper, Engine engine, OutputFolder folder) throws IOException {
    List<Stepper.Answered> answers = answers(stepper, engine);
    var lines = new StringBuilder();
    for (Stepper.Answered answered : answers) {
      ObjectNode line = JSON.createObjectNode();
      line.put("prompt", answered.prompt());
      line.put("answer", answered.answer());
      line.put("expected", answered.expected());
      answered.figures().forEach(line::put);
      lines.append(JSON.writeValueAsString(line)).append('\n');
    }
    folder.writeWhole(file(folder, step), lines.toString().getBytes(StandardCharsets.UTF_8));
    String first = answers.get(0).answer().replace("\n", "\\n").replaceAll("\\p{Cc}", "?");
    return "Step %s answers: %s"
        .formatted(step, first.length() > SHOWN ? first.substring(0, SHOWN) + "..." : first);
  }

  private List<Stepper.Answered> answers(Stepper stepper, Engine engine) {
    return stepper.answers(prompts.size()).orElseGet(() -> likeliest(engine));
  }

  private List<Stepper.Answered> likeliest(Engine engine) {
    List<int[]> answers = engine.answers(prompts, most, stops);
    List<Stepper.Answered> all = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      all.add(
          new Stepper.Answered(
              text(tokenizer, prompts.get(i)),
              text(tokenizer, answers.get(i)),
              expected.get(i),
              Map.of()));
    }
    return all;
  }

  private static Path file(OutputFolder folder, long step) {
    return new Path(folder.path(FOLDER), String.format(Locale.ROOT, "samples-%010d.jsonl", step));
  }

  /** The files of answers, by step; what else lies beside them is left alone. */
  static List<Path> files(OutputFolder folder) throws IOException {
    return folder.list(folder.path(FOLDER)).stream()
        .map(FileStatus::getPath)
        .filter(file -> file.getName().matches("samples-\\d{10}\\.jsonl"))
        .toList();
  }

  /** The step whose answers one of {@link #files} holds. */
  static long step(Path file) {
    return Long.parseLong(file.getName().replaceAll("\\D", ""));
  }

  /** Removes what an earlier try wrote beyond a step. */
  static void resume(OutputFolder folder, long step) throws IOException {
    for (FileStatus file : folder.list(folder.path(FOLDER))) {
      if (file.getPath().getName().compareTo(file(folder, step).getName()) > 0) {
        folder.files().delete(file.getPath(), false);
      }
    }
  }

  /** Prompts with the answers before training, and by the weights as they are now. */
  List<TrainingResult.Sample> beforeAndAfter(Stepper stepper, Engine engine, OutputFolder folder)
      throws IOException {
    List<String> before = new ArrayList<>();
    Path first = file(folder, 0);
    if (folder.files().exists(first)) {
      try (var reader =
          new BufferedReader(
              new InputStreamReader(folder.files().open(first), StandardCharsets.UTF_8))) {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          JsonNode sample = JSON.readTree(line);
          before.add(sample.path("answer").asText());
        }
      }
    }
    List<Stepper.Answered> after = answers(stepper, engine);
    List<TrainingResult.Sample> samples = new ArrayList<>();
    for (int i = 0; i < after.size(); i++) {
      samples.add(
          new TrainingResult.Sample(
              after.get(i).prompt(),
              i < before.size() ? before.get(i) : "",
              after.get(i).answer()));
    }
    return samples;
  }
}
