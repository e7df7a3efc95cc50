package dev.distillery.datasets.stackexchange;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.text.HtmlToMarkdown;
import dev.distillery.core.text.Whitespace;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.SourceSettings.StackExchange;
import dev.distillery.datasets.Tagging;
import dev.distillery.datasets.read.InputFiles;
import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.warehouse.Attribution;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Questions with their answers, as pairs of a better and a worse one: from a site's {@code
 * Posts.xml}, where a post is a unit and posts come together by their question, or from the data
 * set of preferences made of the dumps, where a question is. Bodies become Markdown; author, link
 * and license of the question and of both answers stay with each pair.
 */
public record StackExchangeSource(Tagging tagging, StackExchange settings, long seed)
    implements Source {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern WHOLE_NUMBER = Pattern.compile("-?[0-9]{1,18}");
  private static final Set<String> ANSWER_FIELDS =
      Set.of("answer_id", "author", "author_id", "author_profile", "pm_score", "selected", "text");

  private static final String QUESTION = "1";
  private static final String ANSWER = "2";

  /** In the order of a group the question comes before its answers, whatever their ids. */
  private static final String QUESTION_ORDER = "0";

  @Override
  public String name() {
    return "stackexchange";
  }

  @Override
  public Table table() {
    return Tables.PREFERENCES;
  }

  @Override
  public String unit() {
    return "posts";
  }

  @Override
  public InputFiles.Expected expected() {
    return InputFiles.Expected.XML_OR_JSON;
  }

  @Override
  public boolean groups() {
    return true;
  }

  /** The most answered question of all sites has some hundreds of answers. */
  @Override
  public int maxGroup() {
    return 2_000;
  }

  @Override
  public Fields fields() {
    return Fields.read(
            "answers",
            "qid",
            "date",
            "metadata",
            "question",
            "PostTypeId",
            "Id",
            "Body",
            "Score",
            "Title",
            "AcceptedAnswerId",
            "OwnerDisplayName",
            "OwnerUserId",
            "CreationDate",
            "ContentLicense",
            "ParentId")
        .leaving(
            "ViewCount",
            "AnswerCount",
            "CommentCount",
            "FavoriteCount",
            "LastEditorUserId",
            "LastEditorDisplayName",
            "LastEditDate",
            "LastActivityDate",
            "CommunityOwnedDate",
            "ClosedDate",
            "Tags",
            "DeletionDate");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    if (row.hasNonNull("answers")) {
      return List.of(preferenceRow(row, context));
    }
    String type = JsonFields.requireText(row, "PostTypeId");
    String id = wholeNumber(row, "Id");
    String site = site(context);
    if (!type.equals(QUESTION) && !type.equals(ANSWER)) {
      throw new RejectedRowException(
          "no_question_or_answer", "The post " + id + " is of type " + type);
    }
    boolean question = type.equals(QUESTION);
    ObjectNode post = JsonNodeFactory.instance.objectNode();
    post.put("id", id);
    post.put("text", markdown(JsonFields.requireText(row, "Body")));
    post.put("score", Long.parseLong(wholeNumber(row, "Score")));
    JsonFields.text(row, "Title").ifPresent(title -> post.put("title", title));
    JsonFields.text(row, "AcceptedAnswerId").ifPresent(accepted -> post.put("accepted", accepted));
    Attribution attribution = attribution(row, site, question, id);
    post.put("author", attribution.author()).put("url", attribution.url());
    post.put("date", attribution.date()).put("license", attribution.license());
    String group = site + '/' + (question ? id : wholeNumber(row, "ParentId"));
    return List.of(new RowResult.Item(group, question ? QUESTION_ORDER : id, post.toString()));
  }

  private String site(RowContext context) throws RejectedRowException {
    Optional<String> site = Optional.of(settings.site()).filter(name -> !name.isEmpty());
    return site.or(() -> siteOf(context.path()))
        .orElseThrow(
            () ->
                new RejectedRowException(
                    "unknown_site",
                    "A dump does not say which site it is of: name it with --site"));
  }

  @Override
  public Optional<String> missingFor(String path) {
    boolean dump = path.toLowerCase(Locale.ROOT).matches(".*\\.xml(\\.(gz|bz2|zst))?");
    return dump && settings.site().isEmpty() && siteOf(path).isEmpty()
        ? Optional.of(
            "Option --site: neither it nor the folder of "
                + path
                + " says which site the dump is of; give its host, as in coffee.stackexchange.com")
        : Optional.empty();
  }

  /** A dump unpacks into a folder that is called by its site's host. */
  public static Optional<String> siteOf(String path) {
    String[] parts = path.split("/", -1);
    return parts.length < 2 || !parts[parts.length - 2].matches("[a-z0-9-]+(\\.[a-z0-9-]+)+")
        ? Optional.empty()
        : Optional.of(parts[parts.length - 2]);
  }

  private static Attribution attribution(ObjectNode row, String site, boolean question, String id) {
    String date = JsonFields.text(row, "CreationDate").orElse("");
    String author =
        JsonFields.text(row, "OwnerDisplayName")
            .or(
                () ->
                    JsonFields.text(row, "OwnerUserId")
                        .map(user -> "https://" + site + "/users/" + user))
            .orElse("");
    String url = "https://" + site + (question ? "/q/" : "/a/") + id;
    String license =
        JsonFields.text(row, "ContentLicense")
            .map(StackExchangeSource::spdx)
            .orElseGet(() -> licenseOf(date));
    return new Attribution(author, url, date, license);
  }

  private static String spdx(String contentLicense) {
    return contentLicense.strip().replaceFirst("^CC BY-SA ", "CC-BY-SA-");
  }

  private static String licenseOf(String date) {
    try {
      return Licenses.ofStackExchangePost(
          LocalDate.parse(date.substring(0, Math.min(10, date.length()))));
    } catch (DateTimeParseException e) {
      return Licenses.NOASSERTION;
    }
  }

  private static String markdown(String html) throws RejectedRowException {
    try {
      return Whitespace.strip(HtmlToMarkdown.convert(html));
    } catch (IllegalArgumentException e) {
      throw new RejectedRowException("too_complex_html", String.valueOf(e.getMessage()));
    }
  }

  private static String wholeNumber(ObjectNode row, String field) throws RejectedRowException {
    String text = JsonFields.requireText(row, field);
    if (!WHOLE_NUMBER.matcher(text).matches()) {
      throw new RejectedRowException("invalid_number", field + " is no whole number");
    }
    return text;
  }

  @Override
  public List<RowResult> group(String key, List<RowResult.Item> items) {
    try {
      return posts(key, items);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("An item of our own cannot be read", e);
    }
  }

  private List<RowResult> posts(String key, List<RowResult.Item> items)
      throws JsonProcessingException {
    List<RowResult> results = new ArrayList<>();
    boolean asked = items.get(0).order().equals(QUESTION_ORDER);
    if (!asked) {
      items.forEach(item -> results.add(rejected("orphan", "The question is missing", item)));
      return results;
    }
    List<JsonNode> read = new ArrayList<>();
    for (RowResult.Item item : items) {
      read.add(JSON.readTree(item.content()));
    }
    JsonNode question = read.get(0);
    String accepted = JsonFields.text(question, "accepted").orElse("");
    List<QuestionPairs.Answer> answers = new ArrayList<>();
    for (JsonNode post : read.subList(1, read.size())) {
      String id = post.get("id").textValue();
      int score =
          AnswerScore.of(
              post.get("score").longValue(), id.equals(accepted), settings.negativeAcceptedScore());
      answers.add(
          new QuestionPairs.Answer(id, post.get("text").textValue(), score, attribution(post)));
    }
    QuestionPairs pairs =
        QuestionPairs.of(
            key,
            question(JsonFields.text(question, "title"), question.get("text").textValue()),
            attribution(question),
            answers.stream().filter(answer -> !answer.text().isEmpty()).toList(),
            Optional.empty(),
            settings,
            seed,
            tagging);
    for (int i = 0; i < items.size(); i++) {
      String id = read.get(i).get("id").textValue();
      if (i == 0 && !pairs.rows().isEmpty()) {
        results.add(new RowResult.Kept(unitId(key, id), pairs.rows(), List.of(), pairs.leftOver()));
      } else if (pairs.used().contains(id)) {
        results.add(new RowResult.Kept(unitId(key, id), List.of(), List.of()));
      } else {
        String why = "In no pair of answers of different scores";
        results.add(rejected("no_pair", why, items.get(i)));
      }
    }
    return results;
  }

  private String unitId(String key, String id) {
    return StableIds.of(tagging.source(), key, id);
  }

  private static RowResult rejected(String rule, String why, RowResult.Item item) {
    return new RowResult.Rejected(rule, why + ": post " + item.order() + " of " + item.group());
  }

  private static Attribution attribution(JsonNode post) {
    return new Attribution(
        post.get("author").textValue(),
        post.get("url").textValue(),
        post.get("date").textValue(),
        post.get("license").textValue());
  }

  private static String question(Optional<String> title, String body) {
    return title.map(text -> text + "\n\n" + body).orElse(body);
  }

  /** A question of the preferences data set, with its answers and their scores. */
  private RowResult preferenceRow(ObjectNode row, RowContext context) throws RejectedRowException {
    String questionId =
        JsonFields.text(row, "qid").orElseThrow(() -> JsonFields.missing(row, "qid"));
    String date = JsonFields.text(row, "date").orElse("").replace('/', '-');
    JsonNode links = row.path("metadata");
    String url = links.path(0).asText();
    Attribution asker = new Attribution(links.path(2).asText(), url, date, licenseOf(date));
    List<QuestionPairs.Answer> answers = new ArrayList<>();
    for (JsonNode answer : JsonFields.requireArray(row, "answers")) {
      JsonFields.tellUnread(answer, "answers[].", context, ANSWER_FIELDS);
      String id =
          JsonFields.text(answer, "answer_id")
              .orElseThrow(() -> JsonFields.missing(answer, "answer_id"));
      String text = markdown(JsonFields.requireText(answer, "text"));
      int score =
          (int)
              JsonFields.number(answer, "pm_score")
                  .orElseThrow(() -> JsonFields.missing(answer, "pm_score"));
      String author = JsonFields.text(answer, "author").orElse("");
      String profile = JsonFields.text(answer, "author_profile").orElse("");
      // Whatever the id holds, it is text and no part of a pattern.
      int questions = url.indexOf("/questions/");
      String link = questions < 0 ? url : url.substring(0, questions) + "/a/" + id;
      Attribution attribution =
          new Attribution(
              profile.isEmpty() ? author : author + " (" + profile + ")",
              link,
              date,
              licenseOf(date));
      if (!text.isEmpty()) {
        answers.add(new QuestionPairs.Answer(id, text, score, attribution));
      }
    }
    if (answers.size() > maxGroup()) {
      throw new RejectedRowException("too_many_answers", "More than " + maxGroup() + " answers");
    }
    QuestionPairs pairs =
        QuestionPairs.of(
            questionId,
            markdown(JsonFields.requireText(row, "question")),
            asker,
            answers,
            context.split(),
            settings,
            seed,
            tagging);
    if (pairs.rows().isEmpty()) {
      throw new RejectedRowException("no_pair", "No two answers have different scores");
    }
    return new RowResult.Kept(unitId(url, questionId), pairs.rows(), List.of(), pairs.leftOver());
  }
}
