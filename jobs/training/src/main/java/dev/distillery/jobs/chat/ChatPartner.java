package dev.distillery.jobs.chat;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.model.sample.DecodingWork;
import dev.distillery.model.sample.Generator;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.model.sample.StudentPrompts.Prepared;
import dev.distillery.model.tokenizer.TokenDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** A student that is talked to, and what was said with it. One thread at a time. */
final class ChatPartner {
  private static final long TICK_MILLIS = 50;

  private final String name;
  private final StudentEngine engine;
  private final List<Message> said = new ArrayList<>();

  /** Whether the last words were answered, and both are remembered. */
  private boolean answered;

  /**
   * An answer.
   *
   * @param finish {@code stop}, {@code length}, or {@code left} where nobody waited for its end
   */
  record Answer(String text, String finish, int promptTokens, int written) {}

  ChatPartner(String name, StudentEngine engine) {
    this.name = name;
    this.engine = engine;
  }

  String name() {
    return name;
  }

  /** Forgets what was said, but for a system message. */
  void reset(String system) {
    answered = false;
    said.clear();
    if (!system.isEmpty()) {
      said.add(new Message(Roles.SYSTEM, system));
    }
  }

  /**
   * Says something and waits for the answer; both are remembered.
   *
   * @param row what draws are made of
   * @param piece hears the answer as it is written, on another thread
   * @param left whether nobody waits any more; what there is of the answer is remembered then
   * @throws TeacherException where it cannot be answered: nothing is remembered
   */
  Answer ask(
      String words, Sampling sampling, long row, Consumer<String> piece, BooleanSupplier left)
      throws TeacherException, InterruptedException {
    answered = false;
    said.add(new Message(Roles.USER, words));
    try {
      int[] prompt = engine.prompts().dialogue(said);
      var asked =
          new Asked(
              engine.prompts().prepare(row, prompt, sampling, 0, false, Optional.empty()),
              engine.tokenizer().decoder(true),
              piece,
              left);
      engine.submit(asked);
      Answer answer = asked.await();
      said.add(new Message(Roles.ASSISTANT, answer.text()));
      answered = true;
      return answer;
    } catch (TeacherException e) {
      said.remove(said.size() - 1);
      throw e;
    }
  }

  /** Turns that are remembered, a system message among them. */
  int remembered() {
    return said.size();
  }

  /** Forgets the last words and what was answered to them; words without an answer are not kept. */
  void takeBack() {
    if (answered) {
      said.subList(said.size() - 2, said.size()).clear();
      answered = false;
    }
  }

  private static final class Asked implements DecodingWork, Generator.Listener {
    private final CompletableFuture<Answer> answer = new CompletableFuture<>();
    private final Prepared prepared;
    private final TokenDecoder decoder;
    private final Consumer<String> piece;
    private final BooleanSupplier left;
    private final AtomicReference<String> text = new AtomicReference<>("");
    private final AtomicInteger written = new AtomicInteger();

    Asked(Prepared prepared, TokenDecoder decoder, Consumer<String> piece, BooleanSupplier left) {
      this.prepared = prepared;
      this.decoder = decoder;
      this.piece = piece;
      this.left = left;
    }

    Answer await() throws TeacherException, InterruptedException {
      while (true) {
        try {
          return answer.get(TICK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          if (left.getAsBoolean()) {
            return new Answer(text.get(), "left", promptTokens(), written.get());
          }
        } catch (ExecutionException e) {
          if (e.getCause() instanceof TeacherException failure) {
            throw failure;
          }
          throw new IllegalStateException(e.getCause());
        }
      }
    }

    private int promptTokens() {
      return prepared.prompt().tokens().length;
    }

    @Override
    public Prepared prepare() {
      return prepared;
    }

    @Override
    public Generator.Listener listener() {
      return this;
    }

    @Override
    public boolean isLeft() {
      return left.getAsBoolean();
    }

    @Override
    public void onToken(long row, int token) {
      if (!isLeft() && !prepared.options().stopIds().contains(token)) {
        say(decoder.append(token));
      }
      written.incrementAndGet();
    }

    private void say(String more) {
      if (!more.isEmpty()) {
        text.set(text.get() + more);
        piece.accept(more);
      }
    }

    @Override
    public void done(Generator.Reply reply) {
      // Half a character at the end.
      say(reply.text().substring(Math.min(text.get().length(), reply.text().length())));
      String finish = reply.finish() == Generator.Finish.STOP ? "stop" : "length";
      answer.complete(new Answer(reply.text(), finish, promptTokens(), reply.written()));
    }

    @Override
    public void failed(TeacherException failure) {
      answer.completeExceptionally(failure);
    }
  }
}
