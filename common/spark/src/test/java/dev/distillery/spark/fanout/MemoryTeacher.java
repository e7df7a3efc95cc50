package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherFactory;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A teacher in this JVM, for tests in local mode. A test names its own by the model and scripts it;
 * without a script a prompt is answered with itself in capitals, one token a character.
 */
public final class MemoryTeacher implements Teacher {
  /** What a test sees and scripts of the teacher of one model. */
  static final class Script {
    final List<String> asked = new CopyOnWriteArrayList<>();
    final AtomicInteger atOnce = new AtomicInteger();
    final AtomicInteger mostAtOnce = new AtomicInteger();
    volatile long latencyMillis;
    volatile int concurrency = 1000;
    volatile Behaviour behaviour = (request, attempt) -> reply(request);

    /** How often each request was asked. */
    final Map<String, Integer> attempts = new ConcurrentHashMap<>();
  }

  /** Answers one attempt, or fails. */
  interface Behaviour {
    TeacherReply answer(TeacherRequest request, int attempt) throws TeacherException;
  }

  private static final Map<String, Script> SCRIPTS = new ConcurrentHashMap<>();

  private final Script script;

  private MemoryTeacher(Script script) {
    this.script = script;
  }

  static Script script(String model) {
    return SCRIPTS.computeIfAbsent(model, name -> new Script());
  }

  static TeacherReply reply(TeacherRequest request) {
    String prompt = request.prompt().orElseThrow();
    return new TeacherReply(
        prompt.toUpperCase(java.util.Locale.ROOT), "stop", prompt.length(), 0, 10, 200);
  }

  @Override
  public CompletableFuture<TeacherReply> send(TeacherRequest request) {
    script.asked.add(request.requestId());
    int attempt = script.attempts.merge(request.requestId(), 1, Integer::sum);
    script.mostAtOnce.accumulateAndGet(script.atOnce.incrementAndGet(), Math::max);
    return CompletableFuture.supplyAsync(
        () -> {
          script.atOnce.decrementAndGet();
          try {
            return script.behaviour.answer(request, attempt);
          } catch (TeacherException e) {
            throw new java.util.concurrent.CompletionException(e);
          }
        },
        CompletableFuture.delayedExecutor(script.latencyMillis, TimeUnit.MILLISECONDS));
  }

  @Override
  public String preflight() {
    return "memory";
  }

  @Override
  public int maxConcurrency() {
    return script.concurrency;
  }

  @Override
  public void close() {}

  /** Found by ServiceLoader. */
  public static final class Factory implements TeacherFactory {
    @Override
    public String kind() {
      return "memory";
    }

    @Override
    public Teacher open(TeacherSettings settings, Secret apiKey) {
      return new MemoryTeacher(script(settings.model()));
    }
  }
}
