package dev.distillery.model.template;

import java.time.LocalDateTime;
import java.time.format.TextStyle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A chat template, read once and rendered for many dialogues as transformers renders it (Jinja 3.1
 * with {@code trim_blocks}, {@code lstrip_blocks}, loop controls and {@code generation} marks).
 * Immutable and safe for concurrent use.
 *
 * <p>What is not supported is refused by name when the template is read: {@code include}, {@code
 * import}, {@code extends}, {@code call}, recursive loops, filters that no chat template uses.
 */
public final class JinjaTemplate {
  /** Longest template that is read, in characters: ten times the longest published one. */
  private static final int LONGEST = 1 << 20;

  private static final long LONGEST_RANGE = 100_000;

  private final Statement statement;
  private final boolean marksGeneration;

  private JinjaTemplate(Statement statement, boolean marksGeneration) {
    this.statement = statement;
    this.marksGeneration = marksGeneration;
  }

  /**
   * Reads a template.
   *
   * @throws TemplateException where it is not understood, with the line and the word
   */
  public static JinjaTemplate parse(String source) {
    if (source.length() > LONGEST) {
      throw new TemplateException(
          "The chat template has %s characters, more than the %s that are read"
              .formatted(source.length(), LONGEST));
    }
    TemplateParser parser = new TemplateParser(source);
    Statement statement = parser.parse();
    return new JinjaTemplate(statement, parser.marksGeneration());
  }

  /** Whether the template marks what a model generates by {@code generation} blocks. */
  public boolean marksGeneration() {
    return marksGeneration;
  }

  /** A value for {@link #render}, whose texts come from a numbered source. */
  public static Object value(Object plain, int origin) {
    return Value.of(plain, origin);
  }

  /**
   * Renders the template.
   *
   * @param names what the template sees, made by {@link #value}: messages, tools, bos_token
   * @param now what {@code strftime_now} tells; without it a template finds no such function
   * @throws TemplateException where the template refuses the dialogue ({@code raise_exception}),
   *     goes wrong, or does too much
   */
  public Text render(Map<String, Object> names, Optional<LocalDateTime> now) {
    Map<String, Object> all = new HashMap<>(names);
    all.put("range", (Value.Callable) JinjaTemplate::range);
    all.put("namespace", (Value.Callable) JinjaTemplate::namespace);
    all.put("dict", (Value.Callable) JinjaTemplate::dictionary);
    all.put(
        "raise_exception",
        (Value.Callable)
            a -> {
              throw new TemplateException(
                  "The chat template refuses the dialogue: "
                      + PythonText.str(a.get(0, "message", Text.EMPTY)));
            });
    now.ifPresent(
        date ->
            all.put(
                "strftime_now",
                (Value.Callable) a -> Text.of(strftime(date, a.text(0, "format").value()))));
    Scope scope = Scope.root(all);
    try {
      Statement.Flow unused = statement.run(scope);
    } catch (StackOverflowError e) {
      throw new TemplateException("The chat template's parts lie too deep within each other");
    }
    return scope.out().build();
  }

  private static Object range(Arguments a) {
    long first = Value.whole(a.atMost(3).get(0, "start"), "A bound of range");
    boolean one = a.positional().size() == 1;
    long from = one ? 0 : first;
    long to = one ? first : Value.whole(a.get(1, "stop"), "A bound of range");
    long step = Value.whole(a.get(2, "step", 1L), "The step of range");
    if (step == 0 || (to - from) / step > LONGEST_RANGE) {
      throw new TemplateException(
          "range(%s, %s, %s) of the chat template has no end, or more than %s numbers"
              .formatted(from, to, step, LONGEST_RANGE));
    }
    List<Object> numbers = new ArrayList<>();
    for (long i = from; step > 0 ? i < to : i > to; i += step) {
      numbers.add(i);
    }
    a.scope().charge(numbers.size());
    return numbers;
  }

  private static Object namespace(Arguments a) {
    Value.Namespace namespace = new Value.Namespace();
    if (!a.positional().isEmpty() && a.positional().get(0) instanceof Map<?, ?> map) {
      map.forEach((key, value) -> namespace.members.put(PythonText.str(key), value));
    }
    namespace.members.putAll(a.named());
    return namespace;
  }

  private static Object dictionary(Arguments a) {
    Map<Object, Object> map = new LinkedHashMap<>();
    if (!a.positional().isEmpty() && a.positional().get(0) instanceof Map<?, ?> given) {
      map.putAll(given);
    }
    a.named().forEach((key, value) -> map.put(Text.of(key), value));
    return map;
  }

  private static String strftime(LocalDateTime now, String format) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        out.append(c);
        continue;
      }
      boolean bare = format.charAt(i + 1) == '-' && i + 2 < format.length();
      i += bare ? 2 : 1;
      out.append(part(now, format.charAt(i), bare));
    }
    return out.toString();
  }

  private static String part(LocalDateTime now, char kind, boolean bare) {
    return switch (kind) {
      case 'Y' -> String.valueOf(now.getYear());
      case 'y' -> digits(now.getYear() % 100, bare);
      case 'm' -> digits(now.getMonthValue(), bare);
      case 'd' -> digits(now.getDayOfMonth(), bare);
      case 'H' -> digits(now.getHour(), bare);
      case 'I' -> digits((now.getHour() + 11) % 12 + 1, bare);
      case 'M' -> digits(now.getMinute(), bare);
      case 'S' -> digits(now.getSecond(), bare);
      case 'p' -> now.getHour() < 12 ? "AM" : "PM";
      case 'B' -> month(now);
      case 'b' -> month(now).substring(0, 3);
      case 'A' -> weekday(now);
      case 'a' -> weekday(now).substring(0, 3);
      case 'F' ->
          String.format(
              Locale.ROOT, "%d-%02d-%02d", now.getYear(), now.getMonthValue(), now.getDayOfMonth());
      case 'T' ->
          String.format(
              Locale.ROOT, "%02d:%02d:%02d", now.getHour(), now.getMinute(), now.getSecond());
      case '%' -> "%";
      default ->
          throw new TemplateException(
              "The chat template writes a date by '%" + kind + "', which is not supported");
    };
  }

  private static String month(LocalDateTime now) {
    return now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
  }

  private static String weekday(LocalDateTime now) {
    return now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
  }

  private static String digits(int number, boolean bare) {
    return bare ? String.valueOf(number) : String.format(Locale.ROOT, "%02d", number);
  }
}
