package dev.distillery.jobs.serve;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.model.sample.StudentPrompts;
import dev.distillery.model.sample.WrittenToken;
import dev.distillery.model.tokenizer.TokenDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One request in work: its choices are decoded together with everybody's, and what they become is
 * sent to its client. Choices tell it on the thread of their student.
 */
final class ServedCall {
  /** Who has asked. No method blocks. */
  interface Client {
    /** Begins a stream, where none has begun, and sends an event. */
    void event(ObjectNode data);

    /** Ends the stream. */
    void endEvents();

    /** Sends the whole answer. */
    void send(ObjectNode body);

    /** Sends an error; within a stream as its last event. */
    void refuse(ApiException error);
  }

  /** Characters of a token, in the mean of a whole prompt, at most. */
  private static final int MOST_TOKEN = 256;

  /** Log-probabilities of one answer to a request, which are kept until its end. */
  private static final long MOST_TOLD = 1 << 19;

  private final ApiRequest request;
  private final Client client;
  private final ServerFigures figures;
  private final ApiReplies replies;
  private final long begun = System.nanoTime();
  private final List<ServedChoice> choices = new ArrayList<>();
  private int promptTokens;
  private int writtenTokens;
  private int open;
  private boolean failed;
  private boolean answered;
  private volatile boolean left;

  private ServedCall(ApiRequest request, ApiReplies replies, Client client, ServerFigures figures) {
    this.request = request;
    this.replies = replies;
    this.client = client;
    this.figures = figures;
  }

  /**
   * Hands a request's choices to a student.
   *
   * @param model the name under which it is served
   * @param seed of draws where the request has none
   * @throws ApiException where the student cannot read the request
   */
  static ServedCall begin(
      ApiRequest request,
      String model,
      StudentEngine engine,
      long seed,
      Client client,
      ServerFigures figures)
      throws ApiException {
    var replies = new ApiReplies(request, model, engine.tokenizer());
    var call = new ServedCall(request, replies, client, figures);
    for (int[] prompt : prompts(request, engine)) {
      call.add(prompt, engine, seed);
    }
    call.checkTold();
    call.open = call.choices.size();
    return call;
  }

  private void checkTold() throws ApiException {
    if (request.topLogprobs().isEmpty()) {
      return;
    }
    long told = 0;
    for (ServedChoice choice : choices) {
      told += choice.mostTold() * (1L + request.topLogprobs().getAsInt());
    }
    if (told > MOST_TOLD) {
      throw ApiException.parameter(
          request.chat() ? "top_logprobs" : "logprobs",
          "up to %s log-probabilities would be told, of %s at most: ask for fewer, for fewer tokens or for fewer answers"
              .formatted(told, MOST_TOLD));
    }
  }

  /** Lets the student decode the choices. */
  void submit(StudentEngine engine) {
    for (ServedChoice choice : choices) {
      engine.submit(choice);
    }
  }

  private static List<int[]> prompts(ApiRequest request, StudentEngine engine) throws ApiException {
    StudentPrompts prompts = engine.prompts();
    List<int[]> all = new ArrayList<>();
    try {
      if (request.chat()) {
        int said = 0;
        for (Message message : request.messages()) {
          said = Math.addExact(said, message.content().length());
        }
        checkLength(said, engine);
        all.add(known(prompts.dialogue(request.messages()), engine));
      }
      for (ApiRequest.Prompt prompt : request.prompts()) {
        if (prompt instanceof ApiRequest.TextPrompt text) {
          checkLength(text.text().length(), engine);
          all.add(known(prompts.text(text.text()), engine));
        } else if (prompt instanceof ApiRequest.TokenPrompt tokens) {
          all.add(known(tokens.ids(), engine));
        }
      }
    } catch (TeacherException e) {
      throw refusal(e);
    }
    return all;
  }

  /** No text of so many characters fits, and making tokens of one takes memory and time. */
  private static void checkLength(int characters, StudentEngine engine) throws ApiException {
    if (characters / MOST_TOKEN > engine.context()) {
      throw ApiException.of(
          400,
          "context_length_exceeded",
          "The prompt has %s characters, too many for a context of %s tokens"
              .formatted(characters, engine.context()));
    }
  }

  private static int[] known(int[] ids, StudentEngine engine) throws ApiException {
    for (int id : ids) {
      if (id < 0 || id >= engine.config().vocabSize() || !engine.tokenizer().has(id)) {
        throw ApiException.parameter("prompt", "the model has no token " + id);
      }
    }
    return ids;
  }

  private void add(int[] prompt, StudentEngine engine, long seed) throws ApiException {
    boolean goesOn = !request.chat() || StudentPrompts.goesOn(request.messages());
    Sampling sampling = request.sampling();
    long base = sampling.seed().orElse(seed);
    int told =
        request.topLogprobs().isPresent() ? Math.max(1, request.topLogprobs().getAsInt()) : 0;
    boolean streams = request.stream() && !request.silent();
    promptTokens += prompt.length;
    for (int i = 0; i < request.n(); i++) {
      try {
        // With a seed the same prompt gets the same; without one the same prompt twice does not.
        long draw = sampling.seed().isPresent() ? i : choices.size();
        choices.add(
            new ServedChoice(
                this,
                choices.size(),
                engine
                    .prompts()
                    .prepare(
                        CounterRandom.key(base, draw),
                        prompt,
                        sampling,
                        told,
                        goesOn,
                        request.constraint()),
                streams ? Optional.of(decoder(prompt, engine, goesOn)) : Optional.empty(),
                told > 0,
                told > 0 && request.echo()));
      } catch (TeacherException e) {
        throw refusal(e);
      }
    }
  }

  /** One of its own for each choice: it remembers what it has read. */
  private static TokenDecoder decoder(int[] prompt, StudentEngine engine, boolean goesOn) {
    return goesOn ? engine.prompts().behind(prompt) : engine.tokenizer().decoder(true);
  }

  private static ApiException refusal(TeacherException e) {
    String message = String.valueOf(e.getMessage());
    return switch (e.category()) {
      case CONTEXT_LENGTH -> ApiException.of(400, "context_length_exceeded", message);
      default -> ApiException.of(400, "invalid_value", message);
    };
  }

  /** Nobody waits for an answer any more. */
  void leave() {
    left = true;
  }

  boolean isLeft() {
    return left || failed;
  }

  /** A choice's first token is there; its prompt is read. */
  void begun(ServedChoice choice, List<WrittenToken> prompt) {
    if (!answered) {
      answered = true;
      figures.firstToken(System.nanoTime() - begun);
    }
    replies.prompt(choice.index(), choice.promptTokens(), prompt);
    if (request.stream()) {
      for (ObjectNode event : replies.beginning(choice.index())) {
        client.event(event);
      }
    }
  }

  void piece(ServedChoice choice, ServedChoice.Piece piece) {
    client.event(replies.piece(choice.index(), piece));
  }

  void ended(ServedChoice choice, ServedChoice.Ended ended) {
    if (isLeft()) {
      return;
    }
    ServedChoice.Ended told =
        request.silent()
            ? new ServedChoice.Ended(new ServedChoice.Piece("", List.of()), 0, "length")
            : ended;
    writtenTokens += told.written();
    open--;
    if (request.stream()) {
      replies.ending(choice.index(), told).forEach(client::event);
    } else {
      replies.whole(choice.index(), told);
    }
    if (open > 0) {
      return;
    }
    figures.answered(System.nanoTime() - begun, promptTokens, writtenTokens);
    if (request.stream()) {
      if (request.usage()) {
        client.event(replies.usage(promptTokens, writtenTokens));
      }
      client.endEvents();
    } else {
      client.send(replies.body(promptTokens, writtenTokens));
    }
  }

  void failed(TeacherException failure) {
    if (!isLeft()) {
      failed = true;
      String message = String.valueOf(failure.getMessage());
      client.refuse(
          failure.category() == Category.TIMEOUT
              ? ApiException.of(504, "timeout", message)
              : ApiException.of(503, "server_error", message));
    }
  }
}
