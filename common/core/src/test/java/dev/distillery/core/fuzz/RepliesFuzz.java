package dev.distillery.core.fuzz;

import dev.distillery.core.prompt.AlpacaReplyParser;
import dev.distillery.core.prompt.InstanceParser;
import dev.distillery.core.prompt.InstructionListParser;
import java.nio.charset.StandardCharsets;

/** A teacher's reply, read by every parser in both ways: none fails. */
public final class RepliesFuzz {
  private RepliesFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    String reply = new String(data, StandardCharsets.UTF_8);
    for (String reason : new String[] {"stop", "length"}) {
      for (boolean strict : new boolean[] {false, true}) {
        AlpacaReplyParser.parse(reply, reason, 3, strict);
        InstructionListParser.parse(reply, reason, 9, strict);
        InstanceParser.parse(reply, reason, false, strict);
        InstanceParser.parse(reply, reason, true, strict);
      }
    }
  }
}
