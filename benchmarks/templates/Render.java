import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.model.template.JinjaTemplate;
import dev.distillery.model.template.Text;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Renders all dialogues of templates.json for a second at each line of its input; prints how many, and how many characters a pass has. */
public final class Render {
  private record Work(JinjaTemplate template, Map<String, Object> names) {}

  public static void main(String[] args) throws Exception {
    JsonNode golden = new ObjectMapper().readTree(new File(args[0]));
    var templates = new HashMap<String, JinjaTemplate>();
    golden.get("templates").properties().forEach(t -> templates.put(t.getKey(), JinjaTemplate.parse(t.getValue().asText())));
    var works = new ArrayList<Work>();
    for (JsonNode row : golden.get("cases")) {
      if (!row.has("error")) {
        works.add(new Work(templates.get(row.get("template").asText()), names(row)));
      }
    }
    long characters = pass(works);
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      long begin = System.nanoTime();
      long rendered = 0;
      while (System.nanoTime() - begin < 1_000_000_000L) {
        characters = pass(works);
        rendered += works.size();
      }
      System.out.println(rendered / ((System.nanoTime() - begin) / 1e9) + " " + characters);
    }
  }

  private static long pass(List<Work> works) {
    long characters = 0;
    for (Work work : works) {
      String text = work.template().render(work.names(), Optional.of(LocalDateTime.of(2026, 3, 7, 15, 4, 5))).value();
      characters += text.codePointCount(0, text.length());
    }
    return characters;
  }

  private static Map<String, Object> names(JsonNode row) {
    var json = new ObjectMapper();
    var messages = new ArrayList<Object>();
    for (JsonNode message : row.get("messages")) {
      messages.add(JinjaTemplate.value(json.convertValue(message, new TypeReference<Object>() {}), messages.size() + 1));
    }
    var names = new HashMap<String, Object>();
    names.put("messages", messages);
    names.put("tools", JinjaTemplate.value(json.convertValue(row.get("tools"), new TypeReference<Object>() {}), 1));
    names.put("documents", JinjaTemplate.value(null, 0));
    names.put("bos_token", JinjaTemplate.value("<s>", Text.TEMPLATE));
    names.put("eos_token", JinjaTemplate.value("</s>", Text.TEMPLATE));
    names.put("add_generation_prompt", row.path("prompt").asBoolean());
    row.path("names").properties().forEach(n -> names.put(n.getKey(), JinjaTemplate.value(json.convertValue(n.getValue(), Object.class), 0)));
    return names;
  }
}
