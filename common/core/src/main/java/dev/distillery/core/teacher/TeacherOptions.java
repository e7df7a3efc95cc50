package dev.distillery.core.teacher;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What every job that asks a model can be told: which one, how fast, and for how much.
 *
 * @param teacher kind of the teacher
 * @param model a model's name, or a file's path; empty takes the embedded default where the kind
 *     has one
 * @param chatTemplate name of the chat template that a student is asked in; empty takes the model's
 *     own
 * @param template what a template is told beside the dialogue: a student's own a day and further
 *     names, a server's the names, as {@code chat_template_kwargs}
 * @param access how it is reached, how fast, and for how much
 * @param maxNewTokens most tokens of one reply; empty takes the job's own default
 */
@WithBuilder
public record TeacherOptions(
    @Option(
            names = "--teacher",
            defaultValue = "gguf",
            description = "Kind of the model that answers.")
        TeacherKind teacher,
    @Option(
            names = "--model",
            paramLabel = "NAME_OR_PATH",
            description =
                "Model's name on the server, or path of a file; student: Hugging Face directory or"
                    + " GGUF file; gguf: default is the model that submit/fetch-model brings.")
        Optional<String> model,
    @OnlyWith(option = "--teacher", is = "student")
        @Option(
            names = "--chat-template",
            paramLabel = "NAME",
            description =
                "Form of a dialogue: chatml, smollm2, llama3, llama2, vicuna, koala, alpaca"
                    + " or stack-qa. Default: the model's own.")
        Optional<String> chatTemplate,
    TemplateOptions template,
    TeacherAccessOptions access,
    @Bounds(atLeast = 1)
        @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            description = "Most tokens of one reply; default: the recipe's own.")
        Optional<Integer> maxNewTokens)
    implements Validated {
  /** Where servers look for a template's arguments. */
  private static final String KWARGS = "chat_template_kwargs";

  private static final List<String> COSTLIER =
      List.of("n", "best_of", "stream", "max_tokens", "max_completion_tokens");

  /** Named setters over the declared defaults. */
  public static TeacherOptionsBuilder builder() {
    return TeacherOptionsBuilder.builder(OptionsBinder.defaults(TeacherOptions.class));
  }

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    Teachers.missing(teacher.word()).ifPresent(violations::add);
    if (teacher.isServer() && !isPlainHttp(access.baseUrl())) {
      // The value is not repeated: what is wrong with it may be a password in it.
      violations.add(
          "Option --base-url: expected http://host/path or https://host/path, without user,"
              + " password, query or fragment; a key belongs into --api-key-env or --api-key-file");
    }
    Optional<JsonNode> extra = jsonObject(access.extraBody());
    if (extra.isEmpty()) {
      violations.add(
          "Option --extra-body: expected a JSON object, found '" + access.extraBody() + "'");
    }
    extra
        .flatMap(OpenAiProtocol::wrongLimit)
        .ifPresent(wrong -> violations.add("Option --extra-body: " + wrong));
    violations.addAll(templateViolations());
    if (model.or(teacher::defaultModel).isEmpty()) {
      violations.add(
          "Option --model is required with --teacher "
              + teacher.word()
              + ": name the model, or the path of its file");
    }
    return violations;
  }

  /**
   * What is wrong with the extra body for a job that accounts for requests of one reply and of its
   * length.
   *
   * @param many the option that gives several replies
   * @param length what gives the tokens of one
   */
  public List<String> costlierRequests(String many, String length) {
    return jsonObject(access.extraBody()).stream()
        .flatMap(extra -> COSTLIER.stream().filter(extra::has))
        .map(
            name ->
                "Option --extra-body: '"
                    + name
                    + "' would make a request cost more than is accounted for; use "
                    + (name.startsWith("max") ? length : many))
        .toList();
  }

  private List<String> templateViolations() {
    List<String> violations = new ArrayList<>(template.violations());
    if (template.templateDate().isPresent() && teacher != TeacherKind.STUDENT) {
      violations.add(
          "Option --template-date has an effect with --teacher student only: leave it out; some"
              + " servers take a day by --template-args");
    }
    boolean hasArguments = !template.templateArgs().equals("{}");
    if (hasArguments && teacher == TeacherKind.GGUF) {
      violations.add(
          "Option --template-args has no effect with --teacher gguf, whose template is llama.cpp's"
              + " own: leave it out");
    }
    if (chatTemplate.isPresent() && (hasArguments || template.templateDate().isPresent())) {
      violations.add(
          "Options --template-date and --template-args are for a model's own template: leave them"
              + " out with --chat-template");
    }
    if (jsonObject(access.extraBody()).filter(body -> body.has(KWARGS)).isPresent()
        && hasArguments) {
      violations.add(
          "Option --template-args: --extra-body has "
              + KWARGS
              + " already: give them in one place");
    }
    return violations;
  }

  /**
   * What is merged into each HTTP body: {@code --extra-body}, and for a server the template's
   * arguments.
   */
  public String body() {
    ObjectNode names = new TemplateInputs("", template.templateArgs()).names();
    if (names.isEmpty() || teacher == TeacherKind.STUDENT) {
      return access.extraBody();
    }
    ObjectNode body = (ObjectNode) jsonObject(access.extraBody()).orElseThrow();
    return body.set(KWARGS, names).toString();
  }

  private static boolean isPlainHttp(String url) {
    try {
      URI uri = new URI(url);
      return List.of("http", "https").contains(String.valueOf(uri.getScheme()))
          && uri.getHost() != null
          && uri.getRawUserInfo() == null
          && uri.getRawQuery() == null
          && uri.getRawFragment() == null;
    } catch (URISyntaxException e) {
      return false;
    }
  }

  private static Optional<JsonNode> jsonObject(String text) {
    try {
      return Optional.of(new ObjectMapper().readTree(text)).filter(JsonNode::isObject);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }
}
