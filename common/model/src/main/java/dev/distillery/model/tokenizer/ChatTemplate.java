package dev.distillery.model.tokenizer;

import dev.distillery.core.dialogue.Message;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelJson;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a dialogue is written as one text. What is trained of it is each answer and the mark that
 * closes it; headers, and what stands between turns, are not.
 *
 * <p>A model's own template is a program in Jinja. It is not run: it is compared with the known
 * ones, and an unknown one is refused, so that a dialogue is never written in a form that the model
 * has not seen.
 */
public final class ChatTemplate {
  /** What each kind of turn stands between. Every text may be empty. */
  private record Style(
      String begin,
      String defaultSystem,
      String systemHeader,
      String systemEnd,
      String userHeader,
      String userEnd,
      String assistantHeader,
      String answerPrefix,
      String answerEnd,
      String between,
      boolean trims,
      boolean systemInsideUser) {}

  private static final String EOS = "{eos}";
  private static final Map<String, Style> STYLES = new LinkedHashMap<>();
  private static final Pattern MARK = Pattern.compile("<\\|[a-z_]+\\|>|\\[/?INST]|<</?SYS>>");

  static {
    STYLES.put("chatml", chatml(""));
    STYLES.put(
        "smollm2", chatml("You are a helpful AI assistant named SmolLM, trained by Hugging Face"));
    STYLES.put(
        "llama3",
        new Style(
            "<|begin_of_text|>",
            "",
            "<|start_header_id|>system<|end_header_id|>\n\n",
            "<|eot_id|>",
            "<|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            "",
            "<|eot_id|>",
            "",
            true,
            false));
    STYLES.put(
        "llama2",
        new Style(
            "",
            "",
            "<s>[INST] <<SYS>>\n",
            "\n<</SYS>>\n\n",
            "<s>[INST] ",
            " [/INST]",
            "",
            " ",
            " </s>",
            "",
            true,
            true));
    STYLES.put(
        "vicuna",
        new Style(
            "",
            "A chat between a curious user and an artificial intelligence assistant. The assistant"
                + " gives helpful, detailed, and polite answers to the user's questions.",
            "",
            " ",
            "USER: ",
            " ",
            "ASSISTANT:",
            " ",
            EOS,
            "",
            false,
            false));
    STYLES.put(
        "koala",
        new Style(
            "BEGINNING OF CONVERSATION: ",
            "",
            "",
            " ",
            "USER: ",
            " ",
            "GPT:",
            "",
            EOS,
            "",
            false,
            false));
    STYLES.put(
        "alpaca",
        new Style(
            "",
            "Below is an instruction that describes a task. Write a response that appropriately"
                + " completes the request.",
            "",
            "\n\n",
            "### Instruction:\n",
            "\n\n",
            "### Response:",
            "",
            EOS,
            "",
            false,
            false));
    STYLES.put(
        "stack-qa",
        new Style("", "", "", "\n\n", "Question: ", "\n\n", "Answer: ", "", EOS, "", false, false));
  }

  private static Style chatml(String defaultSystem) {
    return new Style(
        "",
        defaultSystem,
        "<|im_start|>system\n",
        "<|im_end|>\n",
        "<|im_start|>user\n",
        "<|im_end|>\n",
        "<|im_start|>assistant\n",
        "",
        "<|im_end|>",
        "\n",
        false,
        false);
  }

  /**
   * A stretch of a written dialogue.
   *
   * @param text as it stands
   * @param trained whether a model learns to say it: an answer, and the mark that closes it
   * @param content whether it is from the dialogue rather than from the template
   */
  public record Segment(String text, boolean trained, boolean content) {}

  /** A dialogue as tokens. */
  public static final class Encoded {
    private final int[] ids;
    private final boolean[] trained;

    private Encoded(int[] ids, boolean[] trained) {
      this.ids = ids;
      this.trained = trained;
    }

    /** The tokens of the whole. */
    public int[] ids() {
      return ids.clone();
    }

    /** For each token, whether a model learns to say it. */
    public boolean[] trained() {
      return trained.clone();
    }
  }

  private final String name;
  private final Style style;
  private final String eos;

  private ChatTemplate(String name, Style style, String eos) {
    this.name = name;
    this.style = style;
    this.eos = eos;
  }

  /** The presets' names. */
  public static List<String> names() {
    return Collections.unmodifiableList(new ArrayList<>(STYLES.keySet()));
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
    Style style = STYLES.get(name);
    if (style == null) {
      throw new IllegalArgumentException(
          "No chat template is called " + name + "; there are " + String.join(", ", names()));
    }
    return new ChatTemplate(name, style, eos);
  }

  /**
   * The preset that a model's own template is. It is taken for one if it is our text of it, or if
   * it has exactly that one's marks and no tools, dates or texts of its own.
   *
   * @param jinja as {@code chat_template} has it
   * @throws IllegalArgumentException if it is none of the presets
   */
  public static ChatTemplate recognise(String jinja, String eos) {
    for (String name : STYLES.keySet()) {
      if (jinja.strip().equals(named(name, eos).jinja().strip())) {
        return named(name, eos);
      }
    }
    Set<String> marks = new HashSet<>();
    for (Matcher matcher = MARK.matcher(jinja); matcher.find(); ) {
      marks.add(matcher.group());
    }
    boolean plain = !jinja.contains("tool") && !jinja.contains("date");
    String own = null;
    if (plain && marks.equals(Set.of("<|im_start|>", "<|im_end|>"))) {
      String smollm2 = style("smollm2").defaultSystem();
      if (jinja.contains(smollm2)) {
        own = "smollm2";
      } else if (!jinja.contains("You are")) {
        own = "chatml";
      }
    }
    Set<String> llama3 = Set.of("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");
    marks.remove("<|begin_of_text|>");
    if (plain && marks.equals(llama3)) {
      own = "llama3";
    }
    if (plain
        && marks.equals(Set.of("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"))
        && !jinja.contains("You are")) {
      own = "llama2";
    }
    if (own == null) {
      throw new IllegalArgumentException(
          "The model's own chat template is not one that is known; name one of "
              + String.join(", ", names()));
    }
    return named(own, eos);
  }

  /**
   * The template that a model brings along: chat_template.jinja, tokenizer_config.json's {@code
   * chat_template}, or GGUF's.
   */
  public static Optional<String> textOf(ModelFiles model) throws IOException {
    if (model.gguf().isPresent()) {
      String key = "tokenizer.chat_template";
      return model.gguf().get().has(key)
          ? Optional.of(model.gguf().get().text(key))
          : Optional.empty();
    }
    if (!Files.isDirectory(model.path())) {
      return Optional.empty();
    }
    Path jinja = model.path().resolve("chat_template.jinja");
    if (Files.isRegularFile(jinja)) {
      return Optional.of(Files.readString(jinja));
    }
    Path config = model.path().resolve("tokenizer_config.json");
    if (!Files.isRegularFile(config)) {
      return Optional.empty();
    }
    ModelJson json = ModelJson.read(config);
    return json.has("chat_template") ? Optional.of(json.text("chat_template")) : Optional.empty();
  }

  private static Style style(String name) {
    return Objects.requireNonNull(STYLES.get(name), name);
  }

  /** The preset's name. */
  public String name() {
    return name;
  }

  /** The same template for transformers, as a model's directory carries it. */
  public String jinja() {
    try (InputStream stream =
        Objects.requireNonNull(
            ChatTemplate.class.getResourceAsStream("chat/" + name + ".jinja"), name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What an answer ends with: a generation stops there. */
  public String answerEnd() {
    return style.answerEnd().replace(EOS, eos).strip();
  }

  /**
   * The dialogue as text.
   *
   * @param generationPrompt whether the header of an answer follows, for the model to go on
   */
  public String render(List<Message> messages, boolean generationPrompt) {
    StringBuilder text = new StringBuilder();
    segments(messages, generationPrompt).forEach(s -> text.append(s.text()));
    return text.toString();
  }

  /**
   * The dialogue as stretches, none of them empty, which make {@link #render}'s text.
   *
   * @throws IllegalArgumentException if there is no message, a role is none of system, user and
   *     assistant, or a system message does not come first
   */
  public List<Segment> segments(List<Message> messages, boolean generationPrompt) {
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("A dialogue needs a message");
    }
    List<Segment> out = new ArrayList<>();
    add(out, style.begin(), false, false);
    boolean hasSystem = messages.get(0).role().equals("system");
    if (!hasSystem && !style.defaultSystem().isEmpty()) {
      String system = style.systemHeader() + style.defaultSystem() + style.systemEnd();
      add(out, system, false, false);
    }
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      String content = style.trims() ? message.content().strip() : message.content();
      switch (message.role()) {
        case "system" -> {
          if (i > 0) {
            throw new IllegalArgumentException("A system message must come first, not as " + i);
          }
          add(out, style.systemHeader(), false, false);
          add(out, content, false, true);
          add(out, style.systemEnd(), false, false);
        }
        case "user" -> {
          boolean open = style.systemInsideUser() && i == 1 && hasSystem;
          add(out, open ? "" : style.userHeader(), false, false);
          add(out, content, false, true);
          add(out, style.userEnd(), false, false);
        }
        case "assistant" -> {
          add(out, style.assistantHeader(), false, false);
          add(out, style.answerPrefix(), true, false);
          add(out, content, true, true);
          add(out, style.answerEnd().replace(EOS, eos), true, false);
          add(out, style.between(), false, false);
        }
        default ->
            throw new IllegalArgumentException(
                "A role must be system, user or assistant: " + message.role());
      }
    }
    if (generationPrompt) {
      add(out, style.assistantHeader(), false, false);
    }
    return out;
  }

  private static void add(List<Segment> out, String text, boolean trained, boolean content) {
    if (!text.isEmpty()) {
      out.add(new Segment(text, trained, content));
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
    List<Boolean> trained = new ArrayList<>();
    List<Segment> segments = segments(messages, generationPrompt);
    for (int from = 0; from < segments.size(); ) {
      int to = from + 1;
      while (to < segments.size() && segments.get(to).trained() == segments.get(from).trained()) {
        to++;
      }
      int[] part = tokens(tokenizer, segments.subList(from, to));
      if (from == 0) {
        int[] prefix = tokenizer.prefix();
        boolean begun =
            part.length >= prefix.length
                && Arrays.equals(part, 0, prefix.length, prefix, 0, prefix.length);
        add(ids, trained, begun ? new int[0] : prefix, false);
      }
      add(ids, trained, part, segments.get(from).trained());
      from = to;
    }
    boolean[] mask = new boolean[trained.size()];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = trained.get(i);
    }
    return new Encoded(ids.toArray(), mask);
  }

  private static void add(IntBuilder ids, List<Boolean> trained, int[] part, boolean isTrained) {
    ids.add(part, part.length);
    for (int i = 0; i < part.length; i++) {
      trained.add(isTrained);
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
