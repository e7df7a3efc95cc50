package dev.distillery.jobs.serve;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.distillery.core.page.ScriptPage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The page of a server, on which people talk with its students. It holds no secret. */
final class ChatPage {
  private ChatPage() {}

  /**
   * The page, as HTML.
   *
   * @param judgements whether the server keeps votes
   */
  static String html(boolean judgements) {
    return new ScriptPage(
            "Chat",
            resource("chat.css"),
            resource("markdown.js") + resource("chat.js"),
            JsonNodeFactory.instance.objectNode().put("judgements", judgements).toString())
        .served();
  }

  private static String resource(String name) {
    try (InputStream in = ChatPage.class.getResourceAsStream("/serve/" + name)) {
      if (in == null) {
        throw new IllegalStateException("The jar lacks the resource /serve/" + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
