import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Prints, for each JSON string on a line of a file, the ids that a model's tokenizer makes of it, marks parsed: Tokens MODEL FILE. */
public final class Tokens {
  public static void main(String[] args) throws Exception {
    var json = new ObjectMapper();
    Tokenizer tokenizer = Tokenizers.open(Path.of(args[0]));
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line : Files.readAllLines(Path.of(args[1]))) {
      out.println(json.writeValueAsString(tokenizer.encode(json.readValue(line, String.class))));
    }
    out.flush();
  }
}
