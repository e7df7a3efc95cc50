package dev.distillery.model.tokenizer;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.model.format.SpecialTokens;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a dialogue is written as one text. What is trained of it is each answer and the mark that
 * closes it; headers, and what stands between turns, are not.
 *
 * <p>A model's own template is a program in Jinja, which is run. Presets are for models without
 * one, and for those who train a form of their own.
 */
public final class ChatTemplate {
  private static final String OWN = "own";

  /** Stands behind an answer's beginning while it is looked for; it is that of transformers. */
  private static final String MARK = "CONTINUE_FINAL_MESSAGE_TAG";

  /**
   * A stretch of a written dialogue.
   *
   * @param text as it stands
   * @param trained whether a model learns to say it: an answer, and the mark that closes it
   * @param content whether it is from the dialogue rather than from the template
   * @param message index of the message that it belongs to, headers and closing marks included; -1
   *     for what stands before the first and for the header of an answer to come
   */
  public record Segment(String text, boolean trained, boolean content, int message) {}

  /** A dialogue as tokens. */
  public static final class Encoded {
    private final int[] ids;
    private final boolean[] trained;
    private final int[] messages;

    private Encoded(int[] ids, boolean[] trained, int[] messages) {
      this.ids = ids;
      this.trained = trained;
      this.messages = messages;
    }

    /** The tokens of the whole. */
    public int[] ids() {
      return ids.clone();
    }

    /** For each token, whether a model learns to say it. */
    public boolean[] trained() {
      return trained.clone();
    }

    /** For each token that is trained, the index of the message that it answers with; else -1. */
    public int[] answers() {
      return messages.clone();
    }
  }

  private final String name;
  private final ChatStyles.@Nullable Style style;
  private final String eos;
  private final @Nullable ModelTemplates templates;
  private final @Nullable OwnTemplate own;

  private ChatTemplate(
      String name,
      ChatStyles.@Nullable Style style,
      String eos,
      @Nullable ModelTemplates templates,
      @Nullable OwnTemplate own) {
    this.name = name;
    this.style = style;
    this.eos = eos;
    this.templates = templates;
    this.own = own;
  }

  /** The presets' names. */
  public static List<String> names() {
    return ChatStyles.names();
  }

  /**
   * A preset: {@code chatml}, {@code smollm2} (with its own system message where there is none),
   * {@code llama3}, {@code llama2}, {@code vicuna} (v1.1), {@code koala} (EasyLM's form: no space
   * after {@code GPT:}), {@code alpaca} (without input; nothing after {@code ### Response:}),
   * {@code stack-qa} (StackLLaMA's).
   *
   * @param eos the spelling of the model's EOS, which closes an answer in templates that have no
   *     mark of their own
   * @throws IllegalArgumentException if there is no such preset, naming those there are
   */
  public static ChatTemplate named(String name, String eos) {
    ChatStyles.Style style = ChatStyles.get(name);
    if (style == null) {
      throw new IllegalArgumentException(
          "No chat template is called " + name + "; there are " + String.join(", ", names()));
    }
    return new ChatTemplate(name, style, eos, null, null);
  }

  /**
   * The template that a model brings along: run as it is, or a preset where it is that one's text.
   *
   * @param inputs further names, and what a template that writes a date takes for today: a run's
   *     date, never the clock's, so that a run that is resumed writes the same; without it a
   *     template finds no date, and takes the one it has for that case, or is refused
   * @throws IllegalArgumentException if it is not understood, naming line and word, or cannot write
   *     a question and its answer
   */
  public static ChatTemplate of(
      ModelTemplates templates, Tokenizer tokenizer, SpecialTokens special, TemplateInputs inputs) {
    Map<String, String> names = templates.names(tokenizer, special);
    String eos = names.getOrDefault("eos_token", "");
    for (String name : names()) {
      if (templates.others().isEmpty()
          && !inputs.hasArguments()
          && templates.jinja().strip().equals(named(name, eos).jinja().strip())) {
        return named(name, eos);
      }
    }
    Set<String> stops = new HashSet<>();
    special.stop().stream().filter(tokenizer::has).map(tokenizer::token).forEach(stops::add);
    if (!eos.isEmpty()) {
      stops.add(eos);
    }
    Set<String> specials = new HashSet<>(stops);
    for (int id = 0; id < tokenizer.vocabSize(); id++) {
      if (tokenizer.has(id) && tokenizer.isSpecial(id) && !tokenizer.token(id).isEmpty()) {
        specials.add(tokenizer.token(id));
      }
    }
    OwnTemplate own = new OwnTemplate(templates.jinja(), names, stops, specials, inputs);
    return new ChatTemplate(OWN, null, eos, templates, own);
  }

  /** A model's templates on their way to an export: not run, so not refused either. */
  public static ChatTemplate carried(ModelTemplates templates) {
    return new ChatTemplate(OWN, null, "", templates, null);
  }

  /** The preset's name; {@code own} for a model's own. */
  public String name() {
    return name;
  }

  /** The same template for transformers, as a model's directory carries it. */
  public String jinja() {
    if (templates != null) {
      return templates.jinja();
    }
    try (InputStream stream =
        Objects.requireNonNull(
            ChatTemplate.class.getResourceAsStream("chat/" + name + ".jinja"), name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Further templates that the model brings along, by name; for exports. */
  public Map<String, String> others() {
    return templates == null ? Map.of() : templates.others();
  }

  /** What an answer ends with: a generation stops there. Empty where nothing closes an answer. */
  public String answerEnd() {
    return own != null ? own.answerEnd() : style().answerEnd().replace(ChatStyles.EOS, eos).strip();
  }

  private ChatStyles.Style style() {
    if (style == null) {
      throw new IllegalStateException("A template that is only carried writes no dialogue");
    }
    return style;
  }

  /**
   * Whether a template writes an earlier answer, or what stands before it, differently once more
   * turns follow, as those do that strip reasoning: then the text of a dialogue's beginning is no
   * beginning of its text.
   */
  public boolean rewritesEarlierTurns(List<Message> messages) {
    if (own == null) {
      return false;
    }
    List<Segment> whole = segments(messages, false);
    for (int i = 0; i < messages.size() - 1; i++) {
      if (messages.get(i).role().equals("assistant")
          && !upToAnswer(whole, i)
              .equals(upToAnswer(segments(messages.subList(0, i + 1), false), i))) {
        return true;
      }
    }
    return false;
  }

  private static String upToAnswer(List<Segment> segments, int message) {
    StringBuilder text = new StringBuilder();
    int end = 0;
    for (Segment segment : segments) {
      text.append(segment.text());
      end = segment.trained() && segment.message() == message ? text.length() : end;
    }
    return text.substring(0, end);
  }

  /**
   * The dialogue as text.
   *
   * @param generationPrompt whether the model is to go on: the header of an answer follows, or
   *     where the last turn is an assistant's, its text stands open as the answer's beginning
   */
  public String render(List<Message> messages, boolean generationPrompt) {
    return text(segments(messages, generationPrompt));
  }

  private static String text(List<Segment> segments) {
    StringBuilder text = new StringBuilder();
    segments.forEach(segment -> text.append(segment.text()));
    return text.toString();
  }

  /**
   * The dialogue as stretches, none of them empty, which make {@link #render}'s text.
   *
   * @throws IllegalArgumentException if there is no message, a role is none of system, user and
   *     assistant, or a system message does not come first; if the model is to go on from a turn
   *     that calls tools, or from words that the template does not write as they are
   */
  public List<Segment> segments(List<Message> messages, boolean generationPrompt) {
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("A dialogue needs a message");
    }
    if (generationPrompt && messages.get(messages.size() - 1).role().equals("assistant")) {
      return begun(messages);
    }
    if (own != null) {
      return own.segments(messages, generationPrompt);
    }
    ChatStyles.Style style = style();
    List<Segment> out = new ArrayList<>();
    add(out, style.begin(), false, false, -1);
    boolean hasSystem = messages.get(0).role().equals("system");
    if (!hasSystem && !style.defaultSystem().isEmpty()) {
      String system = style.systemHeader() + style.defaultSystem() + style.systemEnd();
      add(out, system, false, false, -1);
    }
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      String content = style.trims() ? message.content().strip() : message.content();
      switch (message.role()) {
        case "system" -> {
          if (i > 0) {
            throw new IllegalArgumentException("A system message must come first, not as " + i);
          }
          add(out, style.systemHeader(), false, false, i);
          add(out, content, false, true, i);
          add(out, style.systemEnd(), false, false, i);
        }
        case "user" -> {
          boolean open = style.systemInsideUser() && i == 1 && hasSystem;
          add(out, open ? "" : style.userHeader(), false, false, i);
          add(out, content, false, true, i);
          add(out, style.userEnd(), false, false, i);
        }
        case "assistant" -> {
          add(out, style.assistantHeader(), false, false, i);
          add(out, style.answerPrefix(), true, false, i);
          add(out, content, true, true, i);
          add(out, style.answerEnd().replace(ChatStyles.EOS, eos), true, false, i);
          add(out, style.between(), false, false, i);
        }
        default ->
            throw new IllegalArgumentException(
                "A role must be system, user or assistant: " + message.role());
      }
    }
    if (generationPrompt) {
      add(out, style.assistantHeader(), false, false, -1);
    }
    return out;
  }

  /**
   * The dialogue up to the last words of its last turn, which the model is to go on from, as
   * transformers' {@code continue_final_message} cuts it: where a mark stands that is written
   * behind them. A blank behind the words stands where the template does not take it off.
   */
  private List<Segment> begun(List<Message> messages) {
    int last = messages.size() - 1;
    Message beginning = messages.get(last);
    if (beginning.toolCalls().isPresent()) {
      throw new IllegalArgumentException(
          "The last turn calls tools, so that none can go on from it: add the tool's answer");
    }
    if (beginning.content().isBlank() && last > 0) {
      return segments(messages.subList(0, last), true);
    }
    List<Message> marked = new ArrayList<>(messages);
    marked.set(last, beginning.withContent(beginning.content() + MARK + " "));
    List<Segment> closed = segments(marked, false);
    String text = text(closed);
    int end = text.lastIndexOf(MARK);
    if (end >= 0 && !text.startsWith(" ", end + MARK.length())) {
      end = text.substring(0, end).stripTrailing().length();
    }
    String words = beginning.content().strip();
    if (end < 0 || !text.substring(0, end).stripTrailing().endsWith(words)) {
      throw new IllegalArgumentException(
          "The chat template does not write the answer's beginning, so that none can go on from"
              + " it");
    }
    return beginning(closed, end);
  }

  private static List<Segment> beginning(List<Segment> segments, int characters) {
    List<Segment> out = new ArrayList<>();
    int left = characters;
    for (Segment segment : segments) {
      String text = segment.text().substring(0, Math.min(left, segment.text().length()));
      add(out, text, segment.trained(), segment.content(), segment.message());
      left -= text.length();
    }
    return out;
  }

  private static void add(
      List<Segment> out, String text, boolean trained, boolean content, int message) {
    if (!text.isEmpty()) {
      out.add(new Segment(text, trained, content, message));
    }
  }

  /**
   * The dialogue as token ids. A stretch that is trained and one that is not are tokenised apart,
   * so that no token is both. A special token's name inside a message is text. The tokenizer's own
   * prefix comes first, unless the template begins with it; its suffix is not added: the template
   * closes turns.
   */
  public Encoded encode(Tokenizer tokenizer, List<Message> messages, boolean generationPrompt) {
    IntBuilder ids = new IntBuilder();
    List<Integer> answers = new ArrayList<>();
    List<Segment> segments = segments(messages, generationPrompt);
    for (int from = 0; from < segments.size(); ) {
      int answer = answer(segments.get(from));
      int to = from + 1;
      while (to < segments.size() && answer(segments.get(to)) == answer) {
        to++;
      }
      int[] part = tokens(tokenizer, segments.subList(from, to));
      if (from == 0) {
        int[] prefix = tokenizer.prefix();
        add(ids, answers, startsWith(part, prefix) ? new int[0] : prefix, -1);
      }
      add(ids, answers, part, answer);
      from = to;
    }
    boolean[] trained = new boolean[answers.size()];
    int[] of = new int[answers.size()];
    for (int i = 0; i < of.length; i++) {
      of[i] = answers.get(i);
      trained[i] = of[i] >= 0;
    }
    return new Encoded(ids.toArray(), trained, of);
  }

  /**
   * The dialogue as token ids of one text, as those train who learn all of it: a token may reach
   * from a header into an answer. Messages and the tokenizer's prefix are treated as in {@link
   * #encode}.
   */
  public int[] encodeWhole(Tokenizer tokenizer, List<Message> messages) {
    return Tokenizer.begun(tokenizer.prefix(), tokens(tokenizer, segments(messages, false)));
  }

  private static boolean startsWith(int[] ids, int[] prefix) {
    return ids.length >= prefix.length
        && Arrays.equals(ids, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static int answer(Segment segment) {
    return segment.trained() ? segment.message() : -1;
  }

  private static void add(IntBuilder ids, List<Integer> answers, int[] part, int answer) {
    ids.add(part, part.length);
    for (int i = 0; i < part.length; i++) {
      answers.add(answer);
    }
  }

  /**
   * As one text, as Hugging Face does it; piece by piece where a message spells a special token.
   */
  private static int[] tokens(Tokenizer tokenizer, List<Segment> segments) {
    StringBuilder text = new StringBuilder();
    boolean spelt = false;
    for (Segment segment : segments) {
      text.append(segment.text());
      spelt |=
          segment.content()
              && !Arrays.equals(
                  tokenizer.encode(segment.text()), tokenizer.encodeOrdinary(segment.text()));
    }
    if (!spelt) {
      return tokenizer.encode(text.toString());
    }
    IntBuilder ids = new IntBuilder();
    for (Segment segment : segments) {
      int[] part =
          segment.content()
              ? tokenizer.encodeOrdinary(segment.text())
              : tokenizer.encode(segment.text());
      ids.add(part, part.length);
    }
    return ids.toArray();
  }
}
