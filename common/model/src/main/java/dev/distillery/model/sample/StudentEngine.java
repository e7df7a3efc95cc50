package dev.distillery.model.sample;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.nn.Memory;
import dev.distillery.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;

/**
 * A student that answers whoever asks, many at a time: work that is there at the same time is
 * decoded together. Work joins as soon as there is room, and leaves when it is done. <b>The same
 * work gives the same reply</b>, whatever is decoded beside it. The promise holds for one kind of
 * processor and set of kernels.
 */
public final class StudentEngine implements AutoCloseable {
  /** Tokens of prompt and reply where no context length is asked for and the model takes more. */
  public static final int DEFAULT_CONTEXT = 4096;

  /** Decoding is bound by reading the weights up to about so many rows. */
  private static final int MOST_ROWS = 64;

  /** Keys and values of a student may take a quarter of this machine's memory. */
  public static final int MEMORY_SHARE = 4;

  private final Student student;
  private final StudentPrompts prompts;
  private final DecodingLoop loop;
  private final int context;
  private final int rows;

  /**
   * Takes over a student; its weights are read with the first work, or by {@link #load}.
   *
   * @throws IllegalArgumentException where it has no such context or chat template; the student is
   *     closed then
   */
  public StudentEngine(Student student, EngineSettings settings) {
    this.student = student;
    try {
      int most = student.config().maxPositions();
      if (settings.contextLength() < 0 || settings.contextLength() > most) {
        throw new IllegalArgumentException(
            "The context length %s is not in 1 to %s, what %s was made for"
                .formatted(settings.contextLength(), most, student.path().getFileName()));
      }
      this.context =
          settings.contextLength() == 0
              ? Math.min(DEFAULT_CONTEXT, most)
              : settings.contextLength();
      this.rows = rows(student.config(), context, settings);
      this.prompts =
          StudentPrompts.of(student, settings.chatTemplate(), settings.templateInputs(), context);
    } catch (IllegalArgumentException e) {
      close(student);
      throw e;
    }
    this.loop = new DecodingLoop(student, settings, context, rows);
  }

  /** Rows whose keys and values fit, however long they are. */
  private static int rows(ModelConfig config, int context, EngineSettings settings) {
    long memory =
        ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getTotalMemorySize();
    long fit = memory / settings.memoryShare() / ModelEstimate.of(config).cacheBytes(1, context);
    long addressable = Memory.MAX_VALUES / ((long) context * config.kvWidth());
    return (int)
        Math.max(
            1, Math.min(Math.min(settings.concurrency(), MOST_ROWS), Math.min(fit, addressable)));
  }

  /** Reads the weights now. */
  public void load() throws IOException {
    student.decoder();
  }

  /** Tokens of a prompt and its reply together. */
  public int context() {
    return context;
  }

  /** Rows that are decoded together at most. */
  public int rows() {
    return rows;
  }

  /** How requests become tokens. */
  public StudentPrompts prompts() {
    return prompts;
  }

  public ModelConfig config() {
    return student.config();
  }

  public Tokenizer tokenizer() {
    return student.tokenizer();
  }

  /** Decodes some work as soon as there is room, first come first served. Never blocks. */
  public void submit(DecodingWork work) {
    loop.submit(work);
  }

  /** Ends; what is not done fails. */
  @Override
  public void close() {
    loop.close();
    close(student);
  }

  private static void close(Student student) {
    try {
      student.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
