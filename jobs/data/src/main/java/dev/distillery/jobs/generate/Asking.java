package dev.distillery.jobs.generate;

import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.Completion;
import java.util.List;

/** Asks a teacher; the ends come in the requests' order, those that failed for good among them. */
@FunctionalInterface
interface Asking {
  List<Completion> ask(List<TeacherRequest> requests);
}
