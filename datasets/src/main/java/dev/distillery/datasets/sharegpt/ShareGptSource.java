package dev.distillery.datasets.sharegpt;

import static dev.distillery.datasets.ShareGptRule.*;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.text.LanguageId;
import dev.distillery.datasets.DialogueHead;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.ShareGptRule;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.SourceSettings.ShareGpt;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.Attribution;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/**
 * ShareGPT's dialogues, cleaned by the {@link ShareGptRule rules} that are on. With FastChat's
 * rules and every turn taken for HTML, what is kept is what FastChat keeps, to the character.
 */
public record ShareGptSource(Tagging tagging, ShareGpt settings, Set<ShareGptRule> rules)
    implements Source {
  public ShareGptSource(Tagging tagging, ShareGpt settings) {
    this(tagging, settings, settings.activeRules());
  }

  private static final List<String> BLOCKED = List.of("openai", "chatgpt");
  private static final List<String> KOALA_BLOCKED =
      List.of("openai", "chatgpt", "gpt-3", "chadgpt", "gpt3", "chat-gpt", "open-ai", "open ai");
  private static final String TOO_MANY_REQUESTS =
      "(!)Too many requests in 1 hour. Try again later.";
  private static final int MIN_CHARS = 16;

  /** What a turn costs beside its text, in tokens: FastChat's allowance. */
  private static final int TOKENS_OF_TURN = 6;

  @Override
  public String name() {
    return "sharegpt";
  }

  @Override
  public Table table() {
    return Tables.CONVERSATIONS;
  }

  @Override
  public String unit() {
    return "conversations";
  }

  @Override
  public Fields fields() {
    return Fields.read(
            "conversations",
            "conversation",
            "items",
            "messages",
            "text",
            "plugins",
            "tools",
            "functions",
            "id",
            "conversation_id")
        .reading(DialogueHead.FIELDS)
        .matching("(human|gpt|user|assistant|bot|chatgpt)_[0-9]{1,6}")
        .leaving("title", "category", "hash", "views", "url");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    if (on(PLUGINS) && row.hasNonNull("plugins")) {
      throw new RejectedRowException("plugins", "The dialogue used plugins");
    }
    List<Message> turns = clean(trim(ShareGptTurns.of(row, context)));
    Optional<String> language = LanguageId.detect(text(turns));
    checkLanguage(language);
    checkTexts(turns);
    return List.of(kept(row, turns, language, context));
  }

  private boolean on(ShareGptRule rule) {
    return rules.contains(rule);
  }

  /** Drops turns before the first question and after the last answer. */
  private List<Message> trim(List<Message> all) throws RejectedRowException {
    List<Message> turns = all;
    if (turns.size() > 1 && on(START_WITH_USER) && !turns.get(0).role().equals(Roles.USER)) {
      turns = turns.subList(1, turns.size());
    }
    if (turns.size() > 1
        && on(END_WITH_ASSISTANT)
        && turns.get(turns.size() - 1).role().equals(Roles.USER)) {
      turns = turns.subList(0, turns.size() - 1);
    }
    if (turns.size() <= 1) {
      throw new RejectedRowException("too_short", "The dialogue has no question with an answer");
    }
    return turns;
  }

  private List<Message> clean(List<Message> turns) throws RejectedRowException {
    boolean html = on(HTML_TO_MARKDOWN) && isHtml(turns);
    List<Message> cleaned = new ArrayList<>();
    int chars = 0;
    for (int i = 0; i < turns.size(); i++) {
      Message turn = turns.get(i);
      String expected = i % 2 == 0 ? Roles.USER : Roles.ASSISTANT;
      if (on(ALTERNATING_ROLES) && !turn.role().equals(expected)) {
        throw new RejectedRowException(
            "wrong_roles", "Turn " + (i + 1) + " is by the " + turn.role());
      }
      checkBlocked(turn, i);
      String text = clean(turn, html);
      if (on(TRUNCATE_AT_EMPTY) && (text.isEmpty() || !isPrintable(text.codePointAt(0)))) {
        break;
      }
      chars += text.codePointCount(0, text.length());
      cleaned.add(turn.withContent(text));
    }
    if (on(ALTERNATING_ROLES) && cleaned.size() % 2 != 0) {
      cleaned.remove(cleaned.size() - 1);
    }
    if (cleaned.isEmpty() || (on(MIN_LENGTH) && chars < MIN_CHARS)) {
      throw new RejectedRowException("too_short", "The dialogue has " + chars + " characters left");
    }
    return cleaned;
  }

  private boolean isHtml(List<Message> turns) {
    return switch (settings.html()) {
      case ALWAYS -> true;
      case NEVER -> false;
      case AUTO ->
          turns.stream()
              .anyMatch(
                  turn -> turn.role().equals(Roles.ASSISTANT) && beginsWithTag(turn.content()));
    };
  }

  private static boolean beginsWithTag(String text) {
    String start = text.stripLeading();
    return start.startsWith("<div")
        || start.startsWith("<p>")
        || start.startsWith("<p ")
        || start.startsWith("<pre>")
        || start.startsWith("<ol")
        || start.startsWith("<ul");
  }

  private void checkBlocked(Message turn, int index) throws RejectedRowException {
    if (!on(BLOCKED_WORDS) && !on(KOALA_BLOCKED_WORDS)) {
      return;
    }
    String lower = turn.content().toLowerCase(Locale.ROOT);
    for (String word : on(KOALA_BLOCKED_WORDS) ? KOALA_BLOCKED : BLOCKED) {
      if (lower.contains(word)) {
        throw new RejectedRowException(
            "blocked_words", "Turn " + (index + 1) + " holds '" + word + "'");
      }
    }
  }

  private String clean(Message turn, boolean html) throws RejectedRowException {
    boolean answer = turn.role().equals(Roles.ASSISTANT);
    String text = turn.content();
    try {
      text = html ? PageText.markdown(text) : text;
    } catch (IllegalArgumentException e) {
      throw new RejectedRowException("too_complex_html", String.valueOf(e.getMessage()));
    }
    if (on(KOALA_COPY_CODE) && answer) {
      text = text.replace("\nCopy code\n", "\n\n");
    }
    if (on(PAGE_NOISE)) {
      text = PageText.withoutNoise(text);
    }
    if (on(RATE_LIMIT_TEXT) && answer && text.startsWith(TOO_MANY_REQUESTS)) {
      throw new RejectedRowException("error_text", "An answer is the page's error message");
    }
    return text;
  }

  /** What Python prints as it is: no control character, no space but the common one. */
  private static boolean isPrintable(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> point == ' ';
      default -> true;
    };
  }

  private void checkLanguage(Optional<String> language) throws RejectedRowException {
    String code = language.orElse("unknown");
    boolean wanted =
        (settings.keepLanguage().isEmpty() || settings.keepLanguage().contains(code))
            && !settings.skipLanguage().contains(code)
            && (!on(KOALA_ENGLISH) || code.equals("en"));
    if (!wanted) {
      throw new RejectedRowException("language", "The dialogue's language is " + code);
    }
  }

  private void checkTexts(List<Message> turns) throws RejectedRowException {
    for (Message turn : turns) {
      if (on(LIST_NUMBERING) && countsOneTwice(turn.content())) {
        throw new RejectedRowException("list_numbering", "A list counts 1, 1");
      }
      if (on(REPEATED_DIGITS) && repeatsDigit(turn.content())) {
        throw new RejectedRowException("repeated_digits", "A digit stands nine times in a row");
      }
    }
  }

  /** A line that begins with {@code 1.} and another, with no 2 anywhere between them. */
  private static boolean countsOneTwice(String text) {
    String item = "\n1. ";
    int first = text.indexOf(item);
    while (first >= 0) {
      int second = text.indexOf(item, first + item.length());
      if (second < 0) {
        return false;
      }
      int two = text.indexOf('2', first + item.length());
      if (two < 0 || two > second) {
        return true;
      }
      first = second;
    }
    return false;
  }

  private static boolean repeatsDigit(String text) {
    int run = 0;
    char before = ' ';
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      run = c == before && Character.isDigit(c) ? run + 1 : 1;
      if (run == 9 && Character.isDigit(c)) {
        return true;
      }
      before = c;
    }
    return false;
  }

  private RowResult kept(
      ObjectNode row, List<Message> turns, Optional<String> language, RowContext context)
      throws RejectedRowException {
    // A system text beside the turns is none of them, and no rule about turns drops it.
    List<Message> head = DialogueHead.before(row, List.of());
    Optional<String> tools = DialogueHead.tools(row);
    String id = tagging.id(joined(head, turns), tools);
    Optional<String> published =
        JsonFields.text(row, "id").or(() -> JsonFields.text(row, "conversation_id"));
    List<Attribution> attribution =
        published
            .filter(name -> name.matches("[A-Za-z0-9]{7}"))
            .map(name -> List.of(link(name)))
            .orElse(List.of());
    List<Row> rows = new ArrayList<>();
    for (List<Message> piece : pieces(turns)) {
      String pieceId = rows.isEmpty() ? id : StableIds.of(id, String.valueOf(rows.size()));
      rows.add(
          tagging.conversation(
              pieceId, joined(head, piece), language, context.split(), attribution, tools));
    }
    return new RowResult.Kept(id, rows, keys(head, turns, published));
  }

  private static List<Message> joined(List<Message> head, List<Message> turns) {
    List<Message> all = new ArrayList<>(head);
    all.addAll(turns);
    return all;
  }

  private Attribution link(String name) {
    return new Attribution("", "https://sharegpt.com/c/" + name, "", tagging.license());
  }

  private List<List<Message>> pieces(List<Message> turns) {
    return settings.maxTokens() == 0
        ? List.of(turns)
        : LongDialogues.split(turns, this::tokens, settings.maxTokens());
  }

  private int tokens(Message turn) {
    int bytes = turn.content().getBytes(StandardCharsets.UTF_8).length;
    return (int) Math.ceil(bytes / settings.bytesPerToken()) + TOKENS_OF_TURN;
  }

  private List<RowResult.Key> keys(
      List<Message> head, List<Message> turns, Optional<String> published) {
    List<RowResult.Key> keys = new ArrayList<>();
    if (on(DUPLICATE_ID)) {
      published.ifPresent(id -> keys.add(new RowResult.Key("duplicate_id", id)));
    }
    String first = turns.get(0).content();
    if (on(DUPLICATE_FIRST_ROUND) && turns.size() > 1) {
      String round = StableIds.of(first, turns.get(1).content());
      round = head.isEmpty() ? round : StableIds.of(tagging.id(head), round);
      keys.add(new RowResult.Key("duplicate_first_round", round));
    }
    if (on(KOALA_DUPLICATE_QUERY)) {
      String query = first.toLowerCase(Locale.ROOT).replaceAll("\\s+", " ").strip();
      keys.add(new RowResult.Key("duplicate_query", query));
    }
    return keys;
  }

  private static String text(List<Message> turns) {
    return turns.stream().map(Message::content).collect(Collectors.joining("\n"));
  }
}
