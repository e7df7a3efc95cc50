package dev.distillery.core.teacher;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaIterator;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.NativeWork;
import dev.distillery.core.teacher.TeacherException.Category;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A teacher out of a GGUF file, run by llama.cpp inside this JVM, on its processors.
 *
 * <p><b>The same request gives the same reply</b>, greedy or seeded, whatever was asked before or
 * beside it. For that requests go through one at a time, each over an empty cache: several slots, a
 * kept cache, or two models at work in one JVM change the order of floating-point sums and with it
 * now and then a token. One request uses every processor, so that little is lost. A sampled request
 * without a seed is seeded by its id. The promise holds for one build of llama.cpp on one kind of
 * processor.
 *
 * <p>What the sampling leaves empty is neutral: temperature 1, no top-p, no top-k, no penalty, as
 * OpenAI's servers have it, not as llama.cpp's do. The extra body may set {@code min_p}, {@code
 * top_k}, {@code repeat_penalty}, {@code presence_penalty}, {@code frequency_penalty} (numbers) and
 * {@code grammar} (GBNF).
 *
 * <p>A file is loaded once a JVM, and again where it was replaced, and stays until its end:
 * llama.cpp's Java binding cannot free it safely, and keeps a thread that is not a daemon, so that
 * a JVM that opened this teacher ends by {@link System#exit} only.
 */
public final class GgufTeacher implements Teacher {
  private static final int DEFAULT_CONTEXT = 4096;

  private static final String CLOSED = "The teacher was closed before its reply was whole";

  /** llama.cpp gains nothing from more on models small enough for this. */
  private static final int MOST_THREADS = 8;

  /**
   * A model whose file is below this writes on one thread: at a word a time, the threads of a small
   * model wait for each other longer than they work; see docs/decisions/0003.
   */
  private static final long SMALL_MODEL_BYTES = 500_000_000;

  /** What the extra body may set, by the names of llama.cpp's own server. */
  private static final Map<String, BiConsumer<InferenceParameters, JsonNode>> EXTRA_FIELDS =
      Map.of(
          "grammar", (parameters, value) -> parameters.setGrammar(value.textValue()),
          "top_k", (parameters, value) -> parameters.setTopK(value.intValue()),
          "min_p", (parameters, value) -> parameters.setMinP(value.floatValue()),
          "repeat_penalty", (parameters, value) -> parameters.setRepeatPenalty(value.floatValue()),
          "presence_penalty",
              (parameters, value) -> parameters.setPresencePenalty(value.floatValue()),
          "frequency_penalty",
              (parameters, value) -> parameters.setFrequencyPenalty(value.floatValue()));

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Loaded> LOADED = new ConcurrentHashMap<>();
  private static final Executor ONE_AT_A_TIME =
      Executors.newSingleThreadExecutor(
          task -> {
            var thread = new Thread(task, "teacher-gguf");
            thread.setDaemon(true);
            return thread;
          });

  /** Of the one reply that this JVM is writing. */
  private static volatile long inFlight;

  private final Path file;
  private final Duration timeout;
  private final Loaded loaded;
  private final AtomicInteger open = new AtomicInteger();
  private volatile boolean closed;

  private record Loaded(LlamaModel model, GgufHead metadata, int context) {

    /**
     * A dialogue in the model's chat form. The library drops a beginning-of-text token at the head,
     * trusting the tokenizer to add it; where the tokenizer does not, it is put back.
     */
    String render(List<Message> messages) {
      String prompt = NativeChatPrompt.render(messages, model::applyTemplate);
      if (metadata.addsBeginToken() || metadata.beginToken() < 0) {
        return prompt;
      }
      String begin = model.decode(new int[] {metadata.beginToken()});
      String template = metadata.chatTemplate();
      boolean begins = template.contains("bos_token") || template.contains(begin);
      return begins && !prompt.startsWith(begin) ? begin + prompt : prompt;
    }
  }

  /**
   * Loads the file, unless this JVM has it already.
   *
   * @throws IllegalArgumentException where it is no usable model, or the context length does not
   *     suit it
   */
  GgufTeacher(TeacherSettings settings) {
    this.file = Path.of(settings.model());
    this.timeout = settings.requestTimeout();
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      throw new IllegalArgumentException(
          "--model '%s' is not a file that can be read; --teacher gguf needs a .gguf file, which submit/fetch-model can bring"
              .formatted(file));
    }
    try {
      Path real = file.toRealPath();
      String asItIs = real + " " + ModelHash.stamp(real) + settings.contextLength();
      this.loaded = LOADED.computeIfAbsent(asItIs, key -> load(real, settings));
    } catch (IOException e) {
      throw new IllegalArgumentException("--model '%s' cannot be read".formatted(file), e);
    }
  }

  private static Loaded load(Path file, TeacherSettings settings) {
    int contextLength = settings.contextLength();
    GgufHead metadata = GgufHead.read(file);
    int most = metadata.contextLength() == 0 ? Integer.MAX_VALUE : metadata.contextLength();
    if (contextLength < 0 || contextLength > most) {
      throw new IllegalArgumentException(
          "The context length %s is not in 1 to %s, what %s was trained on"
              .formatted(contextLength, most, file.getFileName()));
    }
    int context = contextLength == 0 ? Math.min(DEFAULT_CONTEXT, most) : contextLength;
    LlamaNative.load();
    int threads =
        settings.threads() > 0
            ? settings.threads()
            : Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    try {
      int writingThreads =
          settings.threads() == 0 && Files.size(file) < SMALL_MODEL_BYTES ? 1 : threads;
      var model =
          new LlamaModel(
              new ModelParameters()
                  .setModel(file.toString())
                  .setCtxSize(context)
                  .setParallel(1)
                  .setThreads(writingThreads)
                  .setThreadsBatch(threads)
                  .disableContextShift()
                  .enableJinja()
                  .disableLog());
      return new Loaded(model, metadata, context);
    } catch (IOException | RuntimeException e) { // the library's own exception is not public
      throw new IllegalArgumentException(
          "llama.cpp cannot load --model '%s' (%s); is its architecture newer than the library?"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  @Override
  public int maxConcurrency() {
    return 1;
  }

  @Override
  public long tokensInFlight() {
    return inFlight;
  }

  /**
   * Ends what is being written and waits for that, so that the JVM may exit. The model stays for
   * the JVM: freeing it while its thread lives would crash.
   */
  @Override
  public void close() {
    closed = true;
    if (open.get() > 0) {
      // Requests go through in their order, so that behind this all of this teacher's have ended.
      CompletableFuture.runAsync(() -> {}, ONE_AT_A_TIME).join();
    }
  }

  /** Names the file, its content by hash, and what runs it. */
  @Override
  public String preflight() throws TeacherException {
    try {
      return "llama.cpp (de.kherud:llama) with %s, %s, %s bytes, SHA-256 %s, context %s"
          .formatted(
              file.getFileName(),
              loaded.metadata().name(),
              Files.size(file),
              ModelHash.of(file),
              loaded.context());
    } catch (IOException e) {
      throw new TeacherException(
          Category.UNKNOWN_MODEL,
          0,
          Optional.empty(),
          "--model '%s' cannot be read: %s".formatted(file, e.getMessage()));
    }
  }

  @Override
  public CompletableFuture<TeacherReply> send(TeacherRequest request) {
    open.incrementAndGet();
    return CompletableFuture.supplyAsync(() -> answer(request), ONE_AT_A_TIME)
        .thenComposeAsync(Result::future, HttpClients.callbacks());
  }

  private record Result(@Nullable TeacherReply reply, @Nullable TeacherException failure) {
    CompletableFuture<TeacherReply> future() {
      return failure == null
          ? CompletableFuture.completedFuture(reply)
          : CompletableFuture.failedFuture(failure);
    }
  }

  private Result answer(TeacherRequest request) {
    try (NativeWork.Running work = NativeWork.begin()) {
      return new Result(generate(request), null);
    } catch (TeacherException e) {
      return new Result(null, e);
    } catch (RuntimeException e) {
      return new Result(
          null, failure(Category.SERVER_ERROR, "llama.cpp failed: " + e.getMessage()));
    } finally {
      inFlight = 0;
      open.decrementAndGet();
    }
  }

  private TeacherReply generate(TeacherRequest request) throws TeacherException {
    if (closed) {
      throw failure(Category.CONNECTION, CLOSED);
    }
    String prompt = prompt(request);
    int promptTokens =
        loaded.model().encode(prompt).length + (loaded.metadata().addsBeginToken() ? 1 : 0);
    if (promptTokens == 0) {
      throw failure(Category.BAD_REQUEST, "The prompt is empty");
    }
    if (promptTokens >= loaded.context()) {
      throw failure(
          Category.CONTEXT_LENGTH,
          "The prompt has %s tokens and leaves no room in a context of %s"
              .formatted(promptTokens, loaded.context()));
    }
    int limit = Math.min(request.sampling().maxNewTokens(), loaded.context() - promptTokens);
    LlamaIterator tokens = loaded.model().generate(parameters(request, prompt, limit)).iterator();
    return read(tokens, request.sampling(), promptTokens, limit);
  }

  private String prompt(TeacherRequest request) throws TeacherException {
    if (request.prompt().isPresent()) {
      return request.prompt().get();
    }
    if (request.messages().stream().anyMatch(m -> m.toolCalls().isPresent())) {
      throw failure(Category.BAD_REQUEST, "Calls of tools cannot be shown to a GGUF teacher");
    }
    try {
      return loaded.render(request.messages());
    } catch (RuntimeException e) {
      throw failure(Category.BAD_REQUEST, "Bad messages: " + e.getMessage());
    }
  }

  private static InferenceParameters parameters(TeacherRequest request, String prompt, int limit)
      throws TeacherException {
    Sampling sampling = request.sampling();
    long seed = sampling.seed().orElse(request.requestId().hashCode());
    var parameters =
        new InferenceParameters(prompt)
            .setCachePrompt(false)
            .setNPredict(limit)
            .setTemperature((float) sampling.temperature().orElse(1))
            .setTopP((float) sampling.topP().orElse(1))
            .setTopK(sampling.topK().orElse(0))
            .setMinP(0)
            .setRepeatLastN(-1)
            .setRepeatPenalty((float) sampling.repetitionPenalty().orElse(1))
            .setFrequencyPenalty((float) sampling.frequencyPenalty().orElse(0))
            .setPresencePenalty((float) sampling.presencePenalty().orElse(0))
            // Not below 0: -1 asks llama.cpp for a seed by chance.
            .setSeed(Math.floorMod(seed, Integer.MAX_VALUE));
    JsonNode extra;
    try {
      extra = JSON.readTree(request.extraBody());
    } catch (JsonProcessingException e) {
      throw failure(Category.BAD_REQUEST, "The extra body is not JSON");
    }
    for (Map.Entry<String, JsonNode> field : extra.properties()) {
      JsonNode value = field.getValue();
      BiConsumer<InferenceParameters, JsonNode> setter = EXTRA_FIELDS.get(field.getKey());
      boolean fits = field.getKey().equals("grammar") ? value.isTextual() : value.isNumber();
      if (setter == null || !fits) {
        throw failure(
            Category.BAD_REQUEST,
            "--teacher gguf takes %s (numbers) and grammar (a text) in --extra-body, not '%s': %s"
                .formatted(
                    EXTRA_FIELDS.keySet().stream()
                        .filter(name -> !name.equals("grammar"))
                        .sorted()
                        .collect(Collectors.joining(", ")),
                    field.getKey(),
                    value));
      }
      setter.accept(parameters, value);
    }
    return parameters;
  }

  /**
   * Gathers the reply. llama.cpp hands over one piece a token, an empty one for the token that ends
   * the text, but holds back tokens until they make whole characters; so a piece that is not ASCII
   * may be several tokens, and is counted by the tokenizer. At the limit the count is known.
   */
  private TeacherReply read(LlamaIterator tokens, Sampling sampling, int promptTokens, int limit)
      throws TeacherException {
    long deadline = System.nanoTime() + timeout.toNanos();
    var text = new StringBuilder();
    int count = 0;
    boolean ended = false;
    while (true) {
      String piece = tokens.next().text;
      if (!tokens.hasNext()) {
        String whole = text.append(piece).toString();
        return ended
            ? reply(whole, "stop", promptTokens, Math.min(count, limit))
            : reply(whole, "length", promptTokens, limit);
      }
      text.append(piece);
      count += piece.chars().allMatch(c -> c < 128) ? 1 : loaded.model().encode(piece).length;
      inFlight = count;
      ended = piece.isEmpty();
      int stop = Stops.indexIn(text, sampling.stop());
      if (stop >= 0) {
        tokens.cancel();
        return reply(text.substring(0, stop), "stop", promptTokens, Math.min(count, limit));
      }
      if (closed) {
        tokens.cancel();
        awaitIdle();
        throw failure(Category.CONNECTION, CLOSED);
      }
      if (System.nanoTime() > deadline) {
        tokens.cancel();
        throw failure(
            Category.TIMEOUT,
            "No whole reply within %s ms (--request-timeout); %s tokens were written"
                .formatted(timeout.toMillis(), count));
      }
    }
  }

  /** What is cancelled goes on to the end of its token; the next piece of work comes after it. */
  private void awaitIdle() {
    loaded.model().complete(new InferenceParameters("a").setCachePrompt(false).setNPredict(1));
  }

  private static TeacherReply reply(String text, String finish, int promptTokens, int count) {
    return new TeacherReply(text, finish, promptTokens, 0, count, 0);
  }

  private static TeacherException failure(Category category, String message) {
    return new TeacherException(category, 0, Optional.empty(), message);
  }

  /** Makes teachers of kind {@code gguf}. */
  public static final class Factory implements TeacherFactory {
    @Override
    public String kind() {
      return "gguf";
    }

    @Override
    public Teacher open(TeacherSettings settings, Secret apiKey) {
      return new GgufTeacher(settings);
    }
  }
}
