package dev.distillery.model.sample;

import dev.distillery.core.teacher.TeacherException;

/**
 * Something that a {@link StudentEngine} decodes. All methods are called on the engine's thread,
 * which decodes nothing meanwhile: they must not block.
 */
public interface DecodingWork {
  /**
   * What is decoded, asked for once.
   *
   * @throws TeacherException where it cannot be; {@link #failed} is told
   */
  StudentPrompts.Prepared prepare() throws TeacherException;

  /** Hears of the tokens as they come; asked for once. */
  default Generator.Listener listener() {
    return (row, token) -> {};
  }

  /**
   * Whether nobody waits for it any more; asked between two tokens, and between two pieces of its
   * prompt. After the next such moment nothing more is told.
   */
  default boolean isLeft() {
    return false;
  }

  void done(Generator.Reply reply);

  void failed(TeacherException failure);
}
