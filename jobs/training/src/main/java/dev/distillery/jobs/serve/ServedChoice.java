package dev.distillery.jobs.serve;

import dev.distillery.core.teacher.TeacherException;
import dev.distillery.model.sample.DecodingWork;
import dev.distillery.model.sample.Generator;
import dev.distillery.model.sample.StudentPrompts.Prepared;
import dev.distillery.model.sample.WrittenToken;
import dev.distillery.model.tokenizer.TokenDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One answer on its way. It is told on the student's thread and passes on to its {@link
 * ServedCall}: text in pieces that are never taken back, where the client wants a stream, and the
 * end.
 */
final class ServedChoice implements DecodingWork, Generator.Listener {
  /**
   * A stretch of an answer.
   *
   * @param tokens whose text lies in it, where they are told
   */
  record Piece(String text, List<WrittenToken> tokens) {
    Piece {
      tokens = List.copyOf(tokens);
    }
  }

  /**
   * How an answer ended.
   *
   * @param rest what no piece has had yet
   * @param written tokens, the one that ended it too
   * @param finish as OpenAI's interface names it
   */
  record Ended(Piece rest, int written, String finish) {}

  private final ServedCall call;
  private final int index;
  private final Prepared prepared;
  private final boolean tells;
  private final boolean tellsPrompt;
  private final StopTexts stops;
  private final Optional<TokenDecoder> stream;
  private final StringBuilder text = new StringBuilder();
  private final List<WrittenToken> prompt = new ArrayList<>();
  private final List<WrittenToken> told = new ArrayList<>();
  private final List<Integer> ends = new ArrayList<>();
  private int sent;
  private int sentTokens;
  private boolean begun;

  /**
   * @param index of the answer in the request's
   * @param stream the decoder of what goes on behind the prompt, where it is told as it comes
   * @param tells whether tokens are told
   * @param tellsPrompt whether the prompt's are, too
   */
  ServedChoice(
      ServedCall call,
      int index,
      Prepared prepared,
      Optional<TokenDecoder> stream,
      boolean tells,
      boolean tellsPrompt) {
    this.call = call;
    this.index = index;
    this.prepared = prepared;
    this.stream = stream;
    this.tells = tells;
    this.tellsPrompt = tellsPrompt;
    this.stops = new StopTexts(prepared.options().stopTexts());
  }

  int index() {
    return index;
  }

  /** The tokens of its prompt. */
  int[] promptTokens() {
    return prepared.prompt().tokens();
  }

  /** Tokens that may be told of it. */
  long mostTold() {
    return prepared.options().maxNewTokens() + (tellsPrompt ? promptTokens().length : 0L);
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
    return call.isLeft();
  }

  @Override
  public boolean hearsPrompt() {
    return tellsPrompt;
  }

  @Override
  public void onPrompt(WrittenToken token) {
    prompt.add(token);
  }

  @Override
  public void onToken(long row, int token) {
    if (!begun) {
      begun = true;
      call.begun(this, prompt);
    }
    if (stream.isEmpty()) {
      return;
    }
    if (!prepared.options().stopIds().contains(token)) {
      text.append(stream.get().append(token));
    }
    ends.add(text.length());
    if (!tells) {
      push();
    }
  }

  @Override
  public void onTold(WrittenToken token) {
    if (tells && stream.isPresent()) {
      told.add(token);
      push();
    }
  }

  private void push() {
    int certain = stops.certain(text, sent);
    // A token goes with the last of its characters; the one that ends the answer, with the end.
    int tokens = sentTokens;
    while (tokens < told.size() - 1 && ends.get(tokens) <= certain) {
      tokens++;
    }
    if (certain > sent || tokens > sentTokens) {
      call.piece(this, new Piece(text.substring(sent, certain), told.subList(sentTokens, tokens)));
      sent = certain;
      sentTokens = tokens;
    }
  }

  @Override
  public void done(Generator.Reply reply) {
    // Text that is certain is never longer than the reply's.
    String rest = reply.text().substring(Math.min(sent, reply.text().length()));
    List<WrittenToken> tokens =
        tells
            ? reply.tops().subList(Math.min(sentTokens, reply.tops().size()), reply.tops().size())
            : List.of();
    call.ended(
        this,
        new Ended(
            new Piece(rest, tokens),
            reply.written(),
            reply.finish() == Generator.Finish.STOP ? "stop" : "length"));
  }

  @Override
  public void failed(TeacherException failure) {
    call.failed(failure);
  }
}
