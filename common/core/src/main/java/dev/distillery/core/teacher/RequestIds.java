package dev.distillery.core.teacher;

import dev.distillery.core.dialogue.Message;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Names a request by what it asks and where: the same request has the same id in every run, on any
 * number of executors.
 */
public final class RequestIds {
  private RequestIds() {}

  /**
   * The request's id: 32 hexadecimal digits, the head of a SHA-256 over every part, each with its
   * length before it.
   *
   * @param place where in the job the request stands (row and sample, or round and slot), so that
   *     one prompt drawn twice is two requests
   */
  public static String of(
      String model,
      Sampling sampling,
      String extraBody,
      Optional<String> prompt,
      List<Message> messages,
      String place) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new DataOutputStream(bytes)) {
      write(out, model);
      write(out, sampling.toString());
      write(out, extraBody);
      write(out, prompt.orElse(""));
      for (Message message : messages) {
        write(out, message.role());
        write(out, message.content());
        // A message of words alone keeps the id that it had before messages had more.
        if (message.name().isPresent() || message.toolCalls().isPresent()) {
          write(out, message.name().orElse(""));
          write(out, message.toolCalls().orElse(""));
        }
        if (message.toolCallId().isPresent()) {
          write(out, "tool_call_id");
          write(out, message.toolCallId().get());
        }
      }
      write(out, place);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray());
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }

  private static void write(DataOutputStream out, String text) throws IOException {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(utf8.length);
    out.write(utf8);
  }
}
