package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.TeacherSettings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a task and the driver say to each other. Messages travel over Spark's RPC as bytes, so that
 * Spark need not find our classes; both sides run the same jar.
 */
final class Wire {
  private Wire() {}

  /** What a task asks the driver. */
  sealed interface Question extends Serializable permits Join, Exchange, Abort {}

  /** A task cannot even begin, and no other could: the run stops. */
  record Abort(String run, FanoutStop stop) implements Question {}

  /**
   * A task begins.
   *
   * @param run the run's id
   * @param lane the task attempt: {@code call-partition-stage attempt-attempt}
   * @param place the partition, the same for every attempt at it
   * @param executor the JVM
   */
  record Join(String run, String lane, String place, String executor) implements Question {}

  /**
   * What a task has used and what it needs. Repeated with the same sequence number, it changes
   * nothing and gets the same answer.
   *
   * @param teacherConcurrency requests at once that the teacher in this JVM can use
   * @param inFlight requests that are with the teacher now
   * @param ready leases that are held and not used yet
   * @param demand requests that could be with the teacher now, were there no limit
   * @param asks requests for which a lease is wanted
   * @param settlements leases that are used up
   * @param returned leases that ran out before they were used; still wanted
   * @param durable replies and failures of this task that are in the ledger
   * @param last whether the task ends with this
   */
  record Exchange(
      String run,
      String lane,
      long sequence,
      int teacherConcurrency,
      int inFlight,
      int ready,
      int demand,
      List<Ask> asks,
      List<Settlement> settlements,
      List<String> returned,
      long durable,
      boolean last)
      implements Question {}

  /** A request for which a lease is wanted, with the most that it can use. */
  record Ask(String requestId, long promptTokens, long completionTokens) implements Serializable {}

  /** How an attempt ended. */
  enum Ending {
    /** With a reply; the usage is known. */
    ANSWERED,
    /** Refused before it cost anything. */
    FREE,
    /** Without a reply, but the server may have counted it: at worst it is paid. */
    UNCERTAIN,
    /** Never sent. */
    UNSENT
  }

  /**
   * A lease that is used up.
   *
   * @param finalState whether the request is done with, be it answered or failed
   * @param signal what the answer says of the server's state
   * @param pauseMillis how long the server asks to wait, or says that its limit is used up; -1
   *     where it does not say
   * @param message what happened, where the signal is {@code FATAL}
   */
  record Settlement(
      String requestId,
      Ending ending,
      boolean finalState,
      long promptTokens,
      long cachedPromptTokens,
      long completionTokens,
      Signal signal,
      long pauseMillis,
      String message)
      implements Serializable {}

  /** What an attempt tells of the server. */
  enum Signal {
    HEALTHY,
    /** Says nothing of the server, such as a request that it refuses for its own sake. */
    NEUTRAL,
    /** It wants requests in the other form. */
    OTHER_FORM,
    FAILING,
    REFUSING,
    /** Every further request would fail in the same way. */
    FATAL
  }

  /** What a task needs to begin; holds the key. */
  record Welcome(TeacherSettings settings, String key, @Nullable Price price, RetryPolicy retry)
      implements Serializable {
    @Override
    public String toString() {
      return "Welcome[" + settings.kind() + "]";
    }
  }

  /**
   * What a task may do now.
   *
   * @param known false where the driver has given this task up: it must send no more and end
   * @param slots requests that it may have with the teacher at once
   * @param leases requests that it may send
   * @param leaseMillis time in which the new leases must be used, counted from before it asked
   * @param pauseMillis time in which nothing may be sent
   * @param answered requests that all tasks of this driver together have had answered
   * @param open requests that all tasks together have or could have with the teacher now
   * @param otherForm whether a teacher has learnt that the server wants the other form
   * @param stop why the run stops; null while it goes on
   */
  record Answer(
      boolean known,
      int slots,
      List<String> leases,
      int leaseMillis,
      long pauseMillis,
      long answered,
      long open,
      boolean otherForm,
      @Nullable FanoutStop stop)
      implements Serializable {
    static final Answer UNKNOWN = new Answer(false, 0, List.of(), 0, 0, 0, 0, false, null);
  }

  static byte[] encode(Serializable message) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(message);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  static <T> T decode(Class<T> type, Object bytes) {
    try (var in = new ObjectInputStream(new ByteArrayInputStream((byte[]) bytes))) {
      return type.cast(in.readObject());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException("Driver and executors run different jars: " + e, e);
    }
  }
}
