import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIServiceException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.models.Model;
import java.util.List;

/**
 * What openai-java gets of {@code serve}. See benchmarks/serve/clients; the only argument is the
 * address.
 */
class Clients {
  private static int wrong;

  /** What an answer is read into. */
  public static class Town {
    public String name;
    public int inhabitants;
    public List<String> rivers;
  }

  static void check(String name, boolean holds, Object found) {
    System.out.println(
        (holds ? "ok   " : "FAIL ") + "openai-java: " + name + (holds ? "" : ": " + found));
    wrong += holds ? 0 : 1;
  }

  static OpenAIClient client(String address, String key) {
    return OpenAIOkHttpClient.builder().baseUrl(address).apiKey(key).maxRetries(0).build();
  }

  static ChatCompletionCreateParams.Builder hello() {
    return ChatCompletionCreateParams.builder()
        .model("student")
        .addSystemMessage("You are brief.")
        .addUserMessage("Say hello to a sailor.")
        .maxCompletionTokens(32)
        .temperature(0);
  }

  static String said(ChatCompletion completion) {
    return completion.choices().get(0).message().content().orElse("");
  }

  static void refused(String name, Class<? extends OpenAIServiceException> as, Runnable request) {
    try {
      request.run();
      check(name, false, "an answer");
    } catch (OpenAIServiceException e) {
      check(name, as.isInstance(e), e);
    }
  }

  public static void main(String[] args) {
    OpenAIClient client = client(args[0], System.getenv("OPENAI_API_KEY"));
    List<String> models = client.models().list().data().stream().map(Model::id).toList();
    check("models", models.equals(List.of("student")), models);

    ChatCompletion plain = client.chat().completions().create(hello().build());
    var usage = plain.usage().orElseThrow();
    check(
        "chat",
        !said(plain).isBlank()
            && usage.totalTokens() == usage.promptTokens() + usage.completionTokens(),
        plain);

    var streamed = ChatCompletionAccumulator.create();
    int pieces = 0;
    var options = ChatCompletionStreamOptions.builder().includeUsage(true).build();
    try (StreamResponse<ChatCompletionChunk> chunks =
        client.chat().completions().createStreaming(hello().streamOptions(options).build())) {
      pieces = (int) chunks.stream().peek(streamed::accumulate).count();
    }
    ChatCompletion whole = streamed.chatCompletion();
    check("chat, streamed", said(whole).equals(said(plain)) && pieces > 5, whole);
    check("usage of a stream", whole.usage().equals(plain.usage()), whole.usage());
    check(
        "why it ended",
        whole.choices().get(0).finishReason().equals(plain.choices().get(0).finishReason()),
        whole.choices().get(0).finishReason());

    ChatCompletion told =
        client.chat().completions().create(hello().logprobs(true).topLogprobs(3).build());
    var tokens = told.choices().get(0).logprobs().orElseThrow().content().orElseThrow();
    check(
        "log-probabilities",
        tokens.size() >= usage.completionTokens()
            && tokens.stream()
                .allMatch(token -> token.topLogprobs().size() == 3 && token.logprob() <= 0),
        tokens);

    ChatCompletionCreateParams several = hello().n(3).seed(5).temperature(1).build();
    List<String> first =
        client.chat().completions().create(several).choices().stream()
            .map(c -> c.message().content().orElse(""))
            .toList();
    List<String> again =
        client.chat().completions().create(several).choices().stream()
            .map(c -> c.message().content().orElse(""))
            .toList();
    check(
        "n and seed",
        first.size() == 3 && first.stream().distinct().count() == 3 && first.equals(again),
        first + " " + again);

    Completion text =
        client
            .completions()
            .create(
                CompletionCreateParams.builder()
                    .model("student")
                    .prompt("The sea is")
                    .maxTokens(6)
                    .temperature(0)
                    .echo(true)
                    .logprobs(1)
                    .build());
    var choice = text.choices().get(0);
    check(
        "completions",
        choice.text().startsWith("The sea is")
            && choice.logprobs().orElseThrow().tokens().orElseThrow().size()
                == choice.logprobs().orElseThrow().textOffset().orElseThrow().size(),
        text);

    var structured =
        client
            .chat()
            .completions()
            .create(hello().maxCompletionTokens(300).seed(1).responseFormat(Town.class).build());
    var towns = structured.choices().stream().flatMap(c -> c.message().content().stream()).toList();
    check(
        "an answer of a class",
        towns.size() == 1 && towns.get(0).name != null && towns.get(0).rivers != null,
        structured);

    refused(
        "no such model",
        NotFoundException.class,
        () -> client.chat().completions().create(hello().model("another").build()));
    refused(
        "a penalty beyond bounds",
        BadRequestException.class,
        () -> client.chat().completions().create(hello().presencePenalty(9).build()));
    refused(
        "another key",
        UnauthorizedException.class,
        () -> client(args[0], "another").models().list());
    client.close();
    if (wrong > 0) {
      System.exit(1);
    }
  }
}
