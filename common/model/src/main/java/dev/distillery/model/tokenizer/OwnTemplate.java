package dev.distillery.model.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.model.template.JinjaTemplate;
import dev.distillery.model.template.TemplateException;
import dev.distillery.model.template.Text;
import dev.distillery.model.tokenizer.ChatTemplate.Segment;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A model's own template, rendered. Which of the text is an answer follows from where the text
 * comes from, never from how it is spelt: an answer reaches from behind the header that opens it,
 * as the template writes it for a model to go on, through the mark that closes it. Where the
 * template marks what is generated, those marks hold.
 */
final class OwnTemplate {
  private static final Pattern ROLE = Pattern.compile("[A-Za-z_]{1,64}");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Message QUESTION = new Message("user", "?");

  private final JinjaTemplate template;
  private final Map<String, Object> names;
  private final Set<String> stops;
  private final Optional<LocalDateTime> now;
  private final String asking;
  private final String header;
  private final String answerEnd;

  /**
   * A template, tried on a question and its answer.
   *
   * @param names what the template sees beside the dialogue: bos_token, eos_token
   * @param stops spellings of the ids that end an answer
   * @param specials spellings of the tokenizer's special tokens
   * @param inputs the date and further names that it is told
   * @throws TemplateException where the template is not understood, or cannot write a question and
   *     an answer
   */
  OwnTemplate(
      String jinja,
      Map<String, String> names,
      Set<String> stops,
      Set<String> specials,
      TemplateInputs inputs) {
    this.template = JinjaTemplate.parse(jinja);
    this.names = new HashMap<>();
    names.forEach((name, value) -> this.names.put(name, JinjaTemplate.value(value, Text.TEMPLATE)));
    inputs
        .names()
        .properties()
        .forEach(
            field ->
                this.names.put(
                    field.getKey(),
                    JinjaTemplate.value(
                        JSON.convertValue(field.getValue(), Object.class), Text.TEMPLATE)));
    this.stops = stops;
    this.now = inputs.day().map(LocalDate::atStartOfDay);
    String question = render(List.of(QUESTION), false).value();
    Text asked = render(List.of(QUESTION), true);
    this.asking = asked.value().substring(lastOf(asked, 1));
    this.header =
        asked.value().startsWith(question) ? asked.value().substring(question.length()) : "";
    Text answered = render(List.of(QUESTION, new Message("assistant", "!")), false);
    this.answerEnd = firstOf(specials, answered.value(), lastOf(answered, 2)).orElse("");
  }

  /** What closes an answer; empty where the template closes none. */
  String answerEnd() {
    return answerEnd;
  }

  private Text render(List<Message> messages, boolean generationPrompt) {
    Map<String, Object> all = new HashMap<>(names);
    List<Object> values = new ArrayList<>();
    for (Message message : messages) {
      values.add(value(message, values.size() + 1));
    }
    all.put("messages", values);
    all.put("tools", JinjaTemplate.value(null, Text.TEMPLATE));
    all.put("documents", JinjaTemplate.value(null, Text.TEMPLATE));
    all.put("add_generation_prompt", generationPrompt);
    return template.render(all, now);
  }

  private static Object value(Message message, int origin) {
    if (!ROLE.matcher(message.role()).matches()) {
      throw new TemplateException("A role must be a word, found '" + message.role() + "'");
    }
    Map<Object, Object> members = new LinkedHashMap<>();
    put(members, "role", JinjaTemplate.value(message.role(), Text.TEMPLATE));
    put(members, "content", JinjaTemplate.value(message.content(), origin));
    message.name().ifPresent(name -> put(members, "name", JinjaTemplate.value(name, origin)));
    message.toolCalls().ifPresent(calls -> put(members, "tool_calls", calls(calls, origin)));
    message
        .toolCallId()
        .ifPresent(id -> put(members, "tool_call_id", JinjaTemplate.value(id, origin)));
    return members;
  }

  private static void put(Map<Object, Object> members, String name, Object value) {
    members.put(JinjaTemplate.value(name, Text.TEMPLATE), value);
  }

  private static Object calls(String json, int origin) {
    try {
      return JinjaTemplate.value(JSON.readValue(json, new TypeReference<Object>() {}), origin);
    } catch (JsonProcessingException e) {
      throw new TemplateException("tool_calls is no JSON: " + e.getOriginalMessage());
    }
  }

  /** A stretch [from, to) that is trained, as the answer of a message. */
  private record Span(int message, int from, int to) {}

  /** The dialogue as stretches; see {@link ChatTemplate#segments}. */
  List<Segment> segments(List<Message> messages, boolean generationPrompt) {
    Text text = render(messages, generationPrompt);
    List<Span> spans = template.marksGeneration() ? marked(text) : answers(text, messages);
    List<Segment> out = new ArrayList<>();
    int span = 0;
    int from = 0;
    int message = -1;
    for (int run = 0; run < text.runs(); run++) {
      int origin = origin(text, run);
      if (origin != Text.TEMPLATE) {
        message = origin - 1;
      }
      while (from < text.end(run)) {
        while (span < spans.size() && spans.get(span).to() <= from) {
          span++;
        }
        Span next = span < spans.size() ? spans.get(span) : null;
        boolean trained = next != null && next.from() <= from;
        int to =
            Math.min(
                text.end(run), next == null ? text.end(run) : trained ? next.to() : next.from());
        out.add(
            new Segment(
                text.value().substring(from, to),
                trained,
                origin != Text.TEMPLATE,
                trained ? next.message() : message));
        from = to;
      }
    }
    return out;
  }

  private static int origin(Text text, int run) {
    return text.origin(run) & ~Text.GENERATION;
  }

  /** What stands between the template's own marks; a message's, where one's text is in it. */
  private static List<Span> marked(Text text) {
    List<Span> spans = new ArrayList<>();
    for (int run = 0, from = 0; run < text.runs(); from = text.end(run++)) {
      if ((text.origin(run) & Text.GENERATION) == 0) {
        continue;
      }
      int start = from;
      int message = origin(text, run) - 1;
      while (run + 1 < text.runs() && (text.origin(run + 1) & Text.GENERATION) != 0) {
        run++;
        message = Math.max(message, origin(text, run) - 1);
      }
      if (message >= 0) {
        spans.add(new Span(message, start, text.end(run)));
      }
    }
    return spans;
  }

  private List<Span> answers(Text text, List<Message> messages) {
    int[] first = new int[messages.size()];
    int[] last = new int[messages.size()];
    for (int run = 0, from = 0; run < text.runs(); from = text.end(run++)) {
      int message = origin(text, run) - 1;
      if (message >= 0) {
        first[message] = last[message] == 0 ? from : first[message];
        last[message] = text.end(run);
      }
    }
    List<Span> spans = new ArrayList<>();
    int before = 0;
    for (int i = 0; i < messages.size(); i++) {
      if (last[i] == 0) {
        continue;
      }
      if (first[i] < before) {
        throw new TemplateException(
            "The chat template mixes message %s with another, so that answers cannot be told apart"
                .formatted(i));
      }
      int end = last[i];
      if (messages.get(i).role().equals("assistant")) {
        int next = nextMessage(text, end);
        int from = begun(text.value().substring(before, first[i])) + before;
        end = closed(text.value(), end, next);
        spans.add(new Span(i, from, end));
      }
      before = end;
    }
    return spans;
  }

  /**
   * Where an answer begins in what stands before its own words: behind what a model is given to go
   * on from. What the template puts in front of the words after that, the model has to say.
   */
  private int begun(String between) {
    if (!asking.isEmpty() && between.startsWith(asking)) {
      return asking.length();
    }
    int opened = header.isEmpty() ? -1 : between.lastIndexOf(header);
    return opened < 0 ? between.length() : opened + header.length();
  }

  /** Where the next text of a message begins, or the whole ends. */
  private static int nextMessage(Text text, int from) {
    for (int run = 0, start = 0; run < text.runs(); start = text.end(run++)) {
      if (start >= from && origin(text, run) != Text.TEMPLATE) {
        return start;
      }
    }
    return text.value().length();
  }

  /** Where the mark ends that closes an answer; the answer's own end where there is none. */
  private int closed(String text, int from, int to) {
    String between = text.substring(from, to);
    Optional<String> mark =
        !answerEnd.isEmpty() && between.contains(answerEnd)
            ? Optional.of(answerEnd)
            : firstOf(stops, between, 0);
    return mark.map(m -> from + between.indexOf(m) + m.length()).orElse(from);
  }

  private static int lastOf(Text text, int origin) {
    int end = text.value().length();
    for (int run = 0; run < text.runs(); run++) {
      end = origin(text, run) == origin ? text.end(run) : end;
    }
    return end;
  }

  /** The first of some marks in a text, the longest of those that begin there. */
  private static Optional<String> firstOf(Set<String> marks, String text, int from) {
    int at = text.length();
    Optional<String> found = Optional.empty();
    for (String mark : marks) {
      int here = text.indexOf(mark, from);
      if (here >= 0
          && (here < at || (here == at && mark.length() > found.map(String::length).orElse(0)))) {
        at = here;
        found = Optional.of(mark);
      }
    }
    return found;
  }
}
