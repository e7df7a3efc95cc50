package dev.distillery.core.teacher;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The JVM's one HTTP client and the threads around it. All are daemons and live as long as the JVM.
 */
final class HttpClients {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  private HttpClients() {}

  /** HTTP/1.1, because some model servers stumble over the offer of HTTP/2. */
  static HttpClient shared() {
    return Holder.CLIENT;
  }

  /**
   * Where replies are handed to the caller: threads of their own, as many as are busy, so that a
   * slow caller holds back neither the client nor another reply.
   */
  static Executor callbacks() {
    return Holder.CALLBACKS;
  }

  /** One thread that only fires timeouts. */
  static ScheduledThreadPoolExecutor timer() {
    return Holder.TIMER;
  }

  private static final class Holder {
    static final HttpClient CLIENT =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIMEOUT)
            .executor(Executors.newFixedThreadPool(2, daemons("teacher-http")))
            .build();
    static final Executor CALLBACKS = Executors.newCachedThreadPool(daemons("teacher-reply"));
    static final ScheduledThreadPoolExecutor TIMER = timer();

    private static ScheduledThreadPoolExecutor timer() {
      var timer = new ScheduledThreadPoolExecutor(1, daemons("teacher-timeout"));
      timer.setRemoveOnCancelPolicy(true);
      return timer;
    }

    private static ThreadFactory daemons(String name) {
      var number = new AtomicInteger();
      return task -> {
        var thread = new Thread(task, name + "-" + number.incrementAndGet());
        thread.setDaemon(true);
        return thread;
      };
    }
  }
}
