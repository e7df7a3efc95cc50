package dev.distillery.jobs.serve;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.model.sample.StudentPrompts;
import dev.distillery.model.sample.WrittenToken;
import dev.distillery.model.tokenizer.TokenDecoder;
import java.util.ArrayList;
import java.util.List;

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

  private static final int GONE = 503;

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
    call.open = call.choices.size();
    return call;
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
        all.add(prompts.dialogue(request.messages()));
      }
      for (ApiRequest.Prompt prompt : request.prompts()) {
        if (prompt instanceof ApiRequest.TextPrompt text) {
          all.add(prompts.text(text.text()));
        } else if (prompt instanceof ApiRequest.TokenPrompt tokens) {
          all.add(known(tokens.ids(), engine));
        }
      }
    } catch (TeacherException e) {
      throw refusal(e);
    }
    return all;
  }

  private static int[] known(int[] ids, StudentEngine engine) throws ApiException {
    for (int id : ids) {
      if (id >= engine.config().vocabSize() || !engine.tokenizer().has(id)) {
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
    promptTokens += prompt.length;
    for (int i = 0; i < request.n(); i++) {
      try {
        // A decoder of its own for each: it remembers what it has read.
        TokenDecoder decoder =
            goesOn ? engine.prompts().behind(prompt) : engine.tokenizer().decoder(true);
        choices.add(
            new ServedChoice(
                this,
                choices.size(),
                engine
                    .prompts()
                    .prepare(CounterRandom.key(base, i), prompt, sampling, told, goesOn),
                decoder,
                request.stream() && !request.silent(),
                told > 0,
                told > 0 && request.echo()));
      } catch (TeacherException e) {
        throw refusal(e);
      }
    }
  }

  private static ApiException refusal(TeacherException e) {
    String message = String.valueOf(e.getMessage());
    return switch (e.category()) {
      case CONTEXT_LENGTH -> ApiException.of(400, "context_length_exceeded", message);
      case BAD_REQUEST, UNKNOWN_MODEL -> ApiException.of(400, "invalid_value", message);
      case TIMEOUT -> ApiException.of(504, "timeout", message);
      default -> ApiException.of(GONE, "server_error", message);
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
      client.refuse(refusal(failure));
    }
  }
}
