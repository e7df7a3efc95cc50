package dev.distillery.jobs.chat;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.run.TerminalText;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Reads what a user says, a line each, and prints what the students answer. Lines are read by a
 * thread of their own, as nothing ends a read from a terminal.
 */
final class ChatLoop {
  private static final long TICK_MILLIS = 50;

  private static final String HELP =
      """
      /reset         forget what was said
      /system TEXT   begin anew with this system message; without TEXT with none
      /retry         another answer to what was said last
      /quit          end; so does the end of the input
      """;

  private final List<ChatPartner> partners;
  private final Sampling sampling;
  private final long seed;
  private final PrintStream out;
  private final BooleanSupplier ends;
  private String system;
  private long draws;
  private long turns;
  private long promptTokens;
  private long written;

  /** A line, or the end of them. */
  private record Line(String text, boolean last) {}

  private final LinkedBlockingQueue<Line> lines = new LinkedBlockingQueue<>();

  /**
   * @param system message that the dialogue begins with; empty for none
   * @param seed of draws
   * @param ends whether the run is to end
   */
  ChatLoop(
      List<ChatPartner> partners,
      Sampling sampling,
      String system,
      long seed,
      PrintStream out,
      BooleanSupplier ends) {
    this.partners = List.copyOf(partners);
    this.sampling = sampling;
    this.system = system;
    this.seed = seed;
    this.out = out;
    this.ends = ends;
  }

  /** Talks until the input ends, or the run is to. */
  void talk(InputStream in, Charset charset, boolean prompts) throws InterruptedException {
    partners.forEach(partner -> partner.reset(system));
    answer(in, charset, prompts);
  }

  /** Goes on where the partners are. */
  void answer(InputStream in, Charset charset, boolean prompts) throws InterruptedException {
    var reader = new Thread(() -> read(in, charset), "distillery-chat-input");
    reader.setDaemon(true);
    reader.start();
    String last = "";
    while (true) {
      if (prompts) {
        out.print("> ");
        out.flush();
      }
      Line line = next();
      if (line.last()) {
        return;
      }
      String words = line.text().strip();
      if (words.isEmpty()) {
        continue;
      }
      if (!words.startsWith("/")) {
        last = words;
        ask(words);
      } else if (words.equals("/quit")) {
        return;
      } else if (words.equals("/retry") && !last.isEmpty()) {
        partners.forEach(ChatPartner::takeBack);
        ask(last);
      } else {
        last = "";
        command(words);
      }
    }
  }

  private Line next() throws InterruptedException {
    while (!ends.getAsBoolean()) {
      Line line = lines.poll(TICK_MILLIS, TimeUnit.MILLISECONDS);
      if (line != null) {
        return line;
      }
    }
    return new Line("", true);
  }

  private void read(InputStream in, Charset charset) {
    try (var reader = new BufferedReader(new InputStreamReader(in, charset))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(new Line(line, false));
      }
    } catch (IOException e) {
      // No more can be read.
    }
    lines.add(new Line("", true));
  }

  private void command(String words) {
    if (words.equals("/reset")) {
      partners.forEach(partner -> partner.reset(system));
    } else if (words.equals("/system") || words.startsWith("/system ")) {
      system = words.substring("/system".length()).strip();
      partners.forEach(partner -> partner.reset(system));
    } else {
      out.print(HELP);
    }
  }

  private void ask(String words) throws InterruptedException {
    draws++;
    for (ChatPartner partner : partners) {
      if (partners.size() > 1) {
        out.println("[" + partner.name() + "]");
      }
      try {
        ChatPartner.Answer answer =
            partner.ask(words, sampling, CounterRandom.key(seed, draws), this::say, ends);
        out.println(
            answer.finish().equals("length") ? " [cut: --max-new-tokens or the context]" : "");
        promptTokens += answer.promptTokens();
        written += answer.written();
      } catch (TeacherException e) {
        out.println(
            "[not answered: "
                + String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT)
                + "; /reset begins anew]");
      }
      out.flush();
    }
    turns++;
  }

  private void say(String piece) {
    out.print(TerminalText.safe(piece));
    out.flush();
  }

  long turns() {
    return turns;
  }

  long promptTokens() {
    return promptTokens;
  }

  long written() {
    return written;
  }
}
