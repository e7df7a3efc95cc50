package dev.distillery.model.sample;

import dev.distillery.core.run.ModelHash;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.TeacherFactory;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.nn.Memory;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The student as a teacher: a Hugging Face directory or a GGUF file, run inside this JVM.
 *
 * <p>Requests that are there at the same time are decoded together: one joins as soon as there is
 * room, and leaves when it is done. <b>The same request gives the same reply</b>, greedy or drawn,
 * whatever is decoded beside it: a draw depends on the request's seed, its id and the position. The
 * promise holds for one kind of processor and set of kernels.
 *
 * <p>Prompts are continued as they are; dialogues are put into a chat template. What the sampling
 * leaves empty is neutral: temperature 1, no top-p, no top-k, no penalty.
 */
public final class StudentTeacher implements Teacher {
  /** Tokens of prompt and reply where no context length is asked for and the model takes more. */
  public static final int DEFAULT_CONTEXT = 4096;

  /** Decoding is bound by reading the weights up to about so many rows. */
  private static final int MOST_ROWS = 64;

  /** The share of this machine's memory that keys and values may take. */
  private static final int CACHE_SHARE = 4;

  private final Path model;
  private final Student student;
  private final StudentPrompts prompts;
  private final DecodingLoop loop;
  private final ExecutorService callbacks;
  private final int context;
  private final int rows;

  /**
   * Opens the model's files; its weights are read with the first request.
   *
   * @throws IllegalArgumentException where the model cannot be used, or there is no such chat
   *     template
   */
  StudentTeacher(TeacherSettings settings) {
    this.model = Path.of(settings.model());
    try {
      this.student = Student.open(model, settings.threads());
    } catch (IOException e) {
      throw new IllegalArgumentException(
          e.getMessage()
              + "; --model of --teacher student is a Hugging Face directory or a GGUF file",
          e);
    }
    try {
      int most = student.config().maxPositions();
      if (settings.contextLength() < 0 || settings.contextLength() > most) {
        throw new IllegalArgumentException(
            "The context length %d is not in 1 to %d, what %s was made for"
                .formatted(settings.contextLength(), most, model.getFileName()));
      }
      this.context =
          settings.contextLength() == 0
              ? Math.min(DEFAULT_CONTEXT, most)
              : settings.contextLength();
      this.rows = rows(settings.concurrency());
      this.prompts =
          StudentPrompts.of(student, settings.chatTemplate(), settings.templateInputs(), context);
    } catch (IllegalArgumentException e) {
      close(student);
      throw e;
    }
    this.callbacks =
        Executors.newCachedThreadPool(
            task -> {
              var thread = new Thread(task, "teacher-student-reply");
              thread.setDaemon(true);
              return thread;
            });
    this.loop = new DecodingLoop(student, context, rows, settings.requestTimeout());
  }

  /** Rows whose keys and values fit, however long they are. */
  private int rows(int wanted) {
    long memory =
        ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getTotalMemorySize();
    long fit = memory / CACHE_SHARE / ModelEstimate.of(student.config()).cacheBytes(1, context);
    long addressable = Memory.MAX_VALUES / ((long) context * student.config().kvWidth());
    return (int) Math.max(1, Math.min(Math.min(wanted, MOST_ROWS), Math.min(fit, addressable)));
  }

  @Override
  public int maxConcurrency() {
    return rows;
  }

  @Override
  public CompletableFuture<TeacherReply> send(TeacherRequest request) {
    var reply = new CompletableFuture<TeacherReply>();
    loop.submit(
        new DecodingLoop.Work() {
          @Override
          public StudentPrompts.Prepared prepare() throws TeacherException {
            return prompts.prepare(request);
          }

          @Override
          public void done(TeacherReply answer) {
            callbacks.execute(() -> reply.complete(answer));
          }

          @Override
          public void failed(TeacherException failure) {
            callbacks.execute(() -> reply.completeExceptionally(failure));
          }
        });
    return reply;
  }

  /** Names the model, its content by hash, and how it is asked. */
  @Override
  public String preflight() throws TeacherException {
    try {
      return "student %s, %s, %d parameters, SHA-256 %s, context %d, %s"
          .formatted(
              model.getFileName(),
              student.config().architecture().modelType(),
              student.config().parameterCount(),
              ModelHash.of(model),
              context,
              prompts.describe());
    } catch (IOException e) {
      throw new TeacherException(
          Category.UNKNOWN_MODEL,
          0,
          Optional.empty(),
          "--model '%s' cannot be read: %s".formatted(model, e.getMessage()));
    }
  }

  @Override
  public void close() {
    loop.close();
    close(student);
  }

  private static void close(Student student) {
    try {
      student.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Makes teachers of kind {@code student}. */
  public static final class Factory implements TeacherFactory {
    @Override
    public String kind() {
      return "student";
    }

    @Override
    public Teacher open(TeacherSettings settings, Secret apiKey) {
      return new StudentTeacher(settings);
    }
  }
}
