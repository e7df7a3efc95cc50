package dev.distillery.core.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ScriptPageTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void noTextOfTheDataEndsItsElement() throws JsonProcessingException {
    String hostile = "</script><script>alert(1)</script><!--\u2028\u2029\u202Eabc\uFEFF\uD800";
    String html = page(hostile).alone();

    assertThat(html.split("<script", -1)).hasSize(3);
    assertThat(html.split("</script>", -1)).hasSize(3);
    assertThat(html).doesNotContain("<!--").doesNotContain("\u2028").doesNotContain("\u202E");
    assertThat(new String(html.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
        .isEqualTo(html);
  }

  @Test
  void onlyTheScriptRunsAndNothingIsAsked() throws JsonProcessingException {
    String html = page("").alone();
    // printf 'run()' | openssl dgst -sha256 -binary | base64
    assertThat(html)
        .contains("script-src 'sha256-AvyuiL0SD1mVY3NNxR+V2uo+lhk6RMFrytWmRt6CrJQ='")
        .contains("default-src 'none'")
        .contains("connect-src 'none'")
        .doesNotContain("unsafe-eval");
    assertThat(page("").served()).contains("connect-src 'self'");
  }

  @Property
  void theDataMeansTheSame(@ForAll String text) throws JsonProcessingException {
    String embedded = ScriptPage.embedded(JSON.writeValueAsString(Map.of("text", text)));
    byte[] sent = embedded.getBytes(StandardCharsets.UTF_8);
    assertThat(JSON.readTree(new String(sent, StandardCharsets.UTF_8)).get("text").textValue())
        .isEqualTo(text);
  }

  private static ScriptPage page(String text) throws JsonProcessingException {
    return new ScriptPage(
        "</title>", "body{}", "run()", JSON.writeValueAsString(Map.of("text", text)));
  }
}
