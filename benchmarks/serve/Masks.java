import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.model.constrain.JsonConstraint;
import dev.distillery.model.constrain.TokenMask;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/** What it costs to say which tokens may come next, in microseconds, the median of many. */
final class Masks {
  private static final String SCHEMA =
      """
      {"type": "json_schema", "json_schema": {"name": "%d", "schema": {
        "properties": {"name": {"type": "string"}, "note": {"type": "string", "maxLength": 80},
                       "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}},
                       "rate": {"type": "number", "minimum": 0, "maximum": 1}, "rest": {}},
        "required": ["name", "note", "rate"]}}}
      """;

  private Masks() {}

  /** Takes a model. */
  public static void main(String[] arguments) throws Exception {
    try (ModelFiles model = ModelFiles.open(Path.of(arguments[0]))) {
      Tokenizer tokenizer = Tokenizers.of(model);
      long begun = System.nanoTime();
      var mask = new TokenMask(tokenizer, id -> true);
      System.out.printf(
          "%d tokens, made in %d ms%n",
          tokenizer.vocabSize(), (System.nanoTime() - begun) / 1_000_000);
      System.out.printf("%-28s %8s %10s %10s%n", "behind", "tokens", "first, us", "again, us");
      for (String text :
          new String[] {
            "",
            "{",
            "{\"na",
            "{\"name\":",
            "{\"name\":\"Al",
            "{\"name\":\"Al\",\"note\":\"x",
            "{\"name\":\"Al\",\"note\":\"x\",",
            "{\"name\":\"Al\",\"note\":\"x\",\"rate\":0",
            "{\"name\":\"Al\",\"note\":\"x\",\"rate\":0,\"rest\":",
            "{\"name\":\"Al\",\"note\":\"x\",\"rate\":0,\"rest\":[{"
          }) {
        double[] first = new double[300];
        double[] again = new double[300];
        int allowed = 0;
        for (int i = 0; i < first.length; i++) {
          // A format of its own each time: nothing is known of it.
          JsonNode format = new ObjectMapper().readTree(SCHEMA.formatted(i));
          JsonConstraint.State state = JsonConstraint.read(format).orElseThrow().begin();
          for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            state = state.next(b & 0xFF);
          }
          long start = System.nanoTime();
          allowed = mask.allowed(state).cardinality();
          long between = System.nanoTime();
          allowed = mask.allowed(state).cardinality();
          first[i] = (between - start) / 1e3;
          again[i] = (System.nanoTime() - between) / 1e3;
        }
        Arrays.sort(first);
        Arrays.sort(again);
        System.out.printf(
            "%-28s %8d %10.0f %10.1f%n",
            text.length() > 26 ? "..." + text.substring(text.length() - 23) : text,
            allowed,
            first[150],
            again[150]);
      }
    }
  }
}
