"""Exercises of lesson 00: a first tensor, a batch's shape, accuracy. Short, to learn how checks work."""

from __future__ import annotations

import torch

from .exercise import Case, Exercise, Misconception

# ------------------------------------------------------------------------------------- first_tensor


def first_tensor() -> torch.Tensor:
    """The table of two rows and three columns that holds 1 to 6, in float32."""
    return torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def _first_tensor_cases(generator: torch.Generator) -> list[Case]:
    return [Case("values", (), "there is only one case")]


FIRST_TENSOR = Exercise(
    id="00.first_tensor",
    name="first_tensor",
    title="A first tensor",
    difficulty=1,
    points=2,
    minutes=5,
    cases=_first_tensor_cases,
    reference=first_tensor,
    exact_types=True,
    result="a tensor of shape (2, 3), float32",
    hints=(
        "`torch.tensor` makes a tensor out of a list. A table is a list of its rows, and each row is again a "
        "list. Which numbers stand in the first row?",
        "Write the outer brackets first, then one inner pair of brackets for each row. Then look at the "
        "numbers: `3` is a whole number, `3.0` is a float. torch takes its dtype from what you write.",
    ),
    misconceptions=(
        Misconception(
            "whole numbers",
            """
def first_tensor():
    return torch.tensor([[1, 2, 3], [4, 5, 6]])
""",
            "The numbers are in the right places, but they are whole numbers: from `1` torch makes int64, "
            "from `1.0` it makes float32. Networks compute with floats: a weight of 0.3 does not fit in an "
            "integer. (If you did call `.float()`: it makes a new tensor and leaves the old one as it was, "
            "so what it gives has to be kept or returned.)",
        ),
        Misconception(
            "one long row",
            """
def first_tensor():
    return torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
""",
            "Your tensor is one row of six: it has one dimension. A table has two, so its list contains "
            "lists, one for each row.",
        ),
        Misconception(
            "columns and rows exchanged",
            """
def first_tensor():
    return torch.tensor([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
""",
            "You wrote the columns where the rows belong. Each inner list is one row: the first is what one "
            "reads in the first line of the table.",
        ),
        Misconception(
            "three rows of two",
            """
def first_tensor():
    return torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
""",
            "Your table has three rows of two. A shape (2, 3) is read from the outside in: 2 rows first, "
            "then 3 numbers in each.",
        ),
        Misconception(
            "counts from zero",
            """
def first_tensor():
    return torch.arange(6.0).reshape(2, 3)
""",
            "The shape is right, but your numbers begin at 0. Python counts positions from 0, and `arange` "
            "does so too unless it is told where to begin; the table's first number is 1.",
        ),
        Misconception(
            "a list, not a tensor",
            """
def first_tensor():
    return [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
""",
            "You return Python lists. They hold the right numbers, but one cannot multiply, reshape or send "
            "them to a GPU; torch has to make a tensor of them.",
        ),
    ),
    alternatives=(
        """
def first_tensor():
    return torch.arange(1.0, 7.0).reshape(2, 3)
""",
        """
def first_tensor():
    return torch.tensor([[1, 2, 3], [4, 5, 6]]).float()
""",
        """
def first_tensor():
    table = torch.zeros(2, 3)
    for row in range(2):
        for column in range(3):
            table[row, column] = 3 * row + column + 1
    return table
""",
        """
def first_tensor():
    top = torch.tensor([1, 2, 3], dtype=torch.float32)
    return torch.stack([top, top + 3])
""",
    ),
)

# ----------------------------------------------------------------------------------- shape_of_batch


def shape_of_batch(images: torch.Tensor) -> torch.Tensor:
    """A batch of images (B, 28, 28), uint8, as rows (B, 784) of float32 between 0 and 1."""
    return images.reshape(len(images), 28 * 28).float() / 255


def _shape_of_batch_cases(generator: torch.Generator) -> list[Case]:
    def images(count: int, high: int = 256) -> torch.Tensor:
        return torch.randint(0, high, (count, 28, 28), generator=generator, dtype=torch.uint8)

    odd = 2 * int(torch.randint(2, 6, (), generator=generator)) + 1
    white = torch.full((2, 28, 28), 255, dtype=torch.uint8)
    one_pixel = torch.zeros(3, 28, 28, dtype=torch.uint8)
    one_pixel[1, 0, 5] = 255
    return [
        Case(
            "types", (one_pixel,), "three black images, but one white pixel in row 0, column 5 of the second"
        ),
        Case("shapes", (images(4),), "four images"),
        Case("shapes", (images(1),), "a batch of one"),
        Case("shapes", (images(odd),), f"an odd batch of {odd}"),
        Case("values", (images(2, high=128),), "dark images: no pixel is above 127"),
        Case("values", (images(28),), "as many images as rows in an image"),
        Case("edge cases", (white,), "all white"),
        Case("edge cases", (torch.zeros(2, 28, 28, dtype=torch.uint8),), "all black"),
    ]


SHAPE_OF_BATCH = Exercise(
    id="00.shape_of_batch",
    name="shape_of_batch",
    title="A batch of images as rows",
    difficulty=1,
    points=2,
    minutes=5,
    cases=_shape_of_batch_cases,
    reference=shape_of_batch,
    exact_types=True,
    result="a tensor of shape (B, 784), float32, between 0 and 1",
    hints=(
        "Two things happen to the batch: its shape changes from (B, 28, 28) to (B, 784), and its numbers "
        "change from 0…255 to 0…1. Do one, look at the shape, then do the other.",
        "`reshape` keeps the order of the numbers; the first size stays B, which is `len(images)`, and the "
        "rest become one. Then make floats of the numbers and divide by the largest value a pixel can have.",
    ),
    misconceptions=(
        Misconception(
            "flattens the batch too",
            """
def shape_of_batch(images):
    return images.flatten().float() / 255
""",
            "You made one long row of the whole batch: nobody knows any more where one image ends and the "
            "next begins. The first dimension, B, must stay; only the two of the image become one.",
        ),
        Misconception(
            "does not scale",
            """
def shape_of_batch(images):
    return images.reshape(len(images), -1).float()
""",
            "The shape is right, but your numbers still go up to 255. They are floats now, yet nothing has "
            "brought them between 0 and 1.",
        ),
        Misconception(
            "integer division",
            """
def shape_of_batch(images):
    return (images.reshape(len(images), -1) // 255).float()
""",
            "Nearly all your numbers are 0: only a pixel of 255 survives, as 1, and all the greys are lost. "
            "Either you divided with `//`, which drops what is after the decimal point, or you turned the "
            "result into a type of whole numbers, such as uint8, which cannot hold 0.5.",
        ),
        Misconception(
            "does not flatten",
            """
def shape_of_batch(images):
    return images.float() / 255
""",
            "You scaled the numbers, but each image is still a square of 28 by 28. The network of this "
            "lesson has 784 inputs in a row and knows nothing of rows and columns. (If you did reshape or "
            "flatten: that makes a new tensor and leaves the old one as it was, so its result has to be "
            "kept.)",
        ),
        Misconception(
            "one column for each image",
            """
def shape_of_batch(images):
    return images.reshape(len(images), -1).T.float() / 255
""",
            "Your images stand in the columns: the shape is (784, B). In this course, and nearly everywhere "
            "in PyTorch, the batch comes first: one row for each image.",
        ),
        Misconception(
            "mixes the images",
            """
def shape_of_batch(images):
    return images.reshape(784, -1).T.float() / 255
""",
            "The shape is right, but each of your rows is put together from pixels of different images. "
            "`reshape` never moves a number: it cuts the long row of all numbers into new pieces, in order. "
            "Cutting into 784 pieces cuts across the images, and transposing afterwards does not mend that.",
        ),
        Misconception(
            "column by column",
            """
def shape_of_batch(images):
    return images.transpose(1, 2).reshape(len(images), -1).float() / 255
""",
            "Your rows hold the right pixels in another order: you go down the columns of each image. Images "
            "are stored row by row, and the flat row should keep that order.",
        ),
        Misconception(
            "divides by 256",
            """
def shape_of_batch(images):
    return images.reshape(len(images), -1).float() / 256
""",
            "You divide by 256. There are 256 values, but they go from 0 to 255, so white would become 0.996 "
            "and never 1.",
        ),
        Misconception(
            "divides by the brightest pixel found",
            """
def shape_of_batch(images):
    return images.reshape(len(images), -1).float() / images.max()
""",
            "You divide by the brightest pixel of this batch. The same image would get other numbers in "
            "another batch, and in a batch that is all black you divide 0 by 0. The largest value a pixel "
            "can have is always the same.",
        ),
        Misconception(
            "float64",
            """
def shape_of_batch(images):
    return images.reshape(len(images), -1).double() / 255
""",
            "The numbers and the shape are right, but they are float64, which takes twice the room. Asked "
            "for is the dtype float32, torch's usual one, in which a network keeps its weights; it "
            "multiplies only numbers of its own type.",
        ),
        Misconception(
            "results not kept",
            """
def shape_of_batch(images):
    images.reshape(len(images), -1)
    images.float()
    return images
""",
            "You return the images just as they came. `reshape`, `float` and `/` leave a tensor as it is and "
            "make a new one: what they give has to be given a name, or be returned.",
        ),
    ),
    alternatives=(
        """
def shape_of_batch(images):
    return images.flatten(start_dim=1) / 255
""",
        """
def shape_of_batch(images):
    rows = []
    for image in images:
        rows.append((image.flatten().double() / 255.0).float())
    return torch.stack(rows)
""",
        """
def shape_of_batch(images):
    batch = images.to(torch.float32)
    batch /= 255
    return batch.view(-1, 784)
""",
    ),
)

# ----------------------------------------------------------------------------------------- accuracy


def accuracy(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of rows of ``logits`` (B, 10) whose largest number stands at the label (B,)."""
    predictions = logits.argmax(dim=1)  # (B,)
    return (predictions == labels).float().mean().item()


def _scores(count: int, generator: torch.Generator) -> torch.Tensor:
    """(count, 10) logits without ties: each row is a permutation of ten different numbers."""
    steps = torch.linspace(-4.0, 5.0, 10)
    rows = [steps[torch.randperm(10, generator=generator)] for _ in range(count)]
    return torch.stack(rows) + 0.2 * torch.randn(count, 1, generator=generator)


def _labels(logits: torch.Tensor, right: int) -> torch.Tensor:
    """(B,) labels with which the first ``right`` rows are predicted right, and no other."""
    best = logits.argmax(dim=1)
    labels = (best + 1 + torch.arange(len(best)) % 9) % 10
    labels[:right] = best[:right]
    return labels


def _accuracy_cases(generator: torch.Generator) -> list[Case]:
    def case(group: str, count: int, right: int, note: str) -> Case:
        logits = _scores(count, generator)
        order = torch.randperm(count, generator=generator)
        return Case(group, (logits[order], _labels(logits, right)[order]), note)

    example = torch.full((4, 10), -1.0)
    example[torch.arange(4), torch.tensor([7, 2, 1, 0])] = 3.0
    odd = 2 * int(torch.randint(6, 40, (), generator=generator)) + 1
    right = int(torch.randint(odd // 5, odd // 2, (), generator=generator))
    far = torch.full((3, 10), -1e30)
    far[torch.arange(3), torch.tensor([4, 1, 9])] = 1e30
    return [
        Case("types", (example, torch.tensor([7, 2, 1, 4])), "the example: 3 of 4 are right"),
        case("shapes", 1, 1, "a batch of one, and it is right"),
        case("shapes", 1, 0, "a batch of one, and it is wrong"),
        case("values", 10, 4, "as many images as classes"),
        case("values", odd, right, f"an odd batch of {odd}"),
        case("values", 6, 6, "all are right"),
        case("values", 6, 0, "all are wrong"),
        Case("edge cases", (far, torch.tensor([4, 1, 3])), "very large logits: 2 of 3 are right"),
        Case(
            "edge cases",
            (_scores(5, generator) - 100.0, torch.tensor([0, 0, 0, 0, 0])),
            "all logits negative",
        ),
    ]


ACCURACY = Exercise(
    id="00.accuracy",
    name="accuracy",
    title="Accuracy",
    difficulty=1,
    points=2,
    minutes=10,
    cases=_accuracy_cases,
    reference=accuracy,
    exact_types=True,
    result="a Python float between 0 and 1",
    hints=(
        "For each image the network gives ten numbers. Its answer is the digit whose number is the largest: "
        "not that number, but the place where it stands.",
        "Three steps: `argmax` along the dimension of the ten classes gives one digit for each image; `==` "
        "compares them with the labels; the mean of these, as floats, is the share. `.item()` takes one "
        "number out of a tensor.",
    ),
    misconceptions=(
        Misconception(
            "compares probabilities with labels",
            """
def accuracy(logits, labels):
    probabilities = torch.softmax(logits, dim=1).max(dim=1).values
    return (probabilities == labels).float().mean().item()
""",
            "You compare how sure the network is (a probability such as 0.93) with a label (a digit such as "
            "7). These are different things, so they are hardly ever equal. What is to be compared with "
            "the label is the place where the largest number stands.",
        ),
        Misconception(
            "compares the largest logit with the label",
            """
def accuracy(logits, labels):
    return (logits.max(dim=1).values == labels).float().mean().item()
""",
            "You compare the largest logit itself (a number such as 4.7) with a label (a digit such as 7). "
            "The label names a class: what is to be compared with it is the place of the largest logit, not "
            "its size.",
        ),
        Misconception(
            "argmax along the batch",
            """
def accuracy(logits, labels):
    return (logits.argmax(dim=0) == labels).float().mean().item()
""",
            "You look for the largest number in each column, that is among all images for one class: you "
            "get ten answers, one for each class, instead of one for each image. It raises no error with "
            "ten images, or with one; the answer is wrong all the same.",
        ),
        Misconception(
            "argmax over everything",
            """
def accuracy(logits, labels):
    return (logits.argmax() == labels).float().mean().item()
""",
            "Without a dimension, `argmax` looks for the largest number of the whole table and gives a "
            "single place for all images together. Each image, that is each row, needs its own answer.",
        ),
        Misconception(
            "integer division",
            """
def accuracy(logits, labels):
    right = (logits.argmax(dim=1) == labels).sum().item()
    return right // len(labels)
""",
            "`//` drops what is after the decimal point, so a share becomes 0, or 1 if all are right.",
        ),
        Misconception(
            "count, not share",
            """
def accuracy(logits, labels):
    return (logits.argmax(dim=1) == labels).sum().item()
""",
            "You return how many are right. Accuracy is a share: 30 right answers are wonderful out of 30 "
            "and poor out of 10,000.",
        ),
        Misconception(
            "per cent",
            """
def accuracy(logits, labels):
    return 100 * (logits.argmax(dim=1) == labels).float().mean().item()
""",
            "You return per cent. The task asks for a share between 0 and 1; writing it as per cent is for "
            "the moment it is shown to people.",
        ),
        Misconception(
            "share of wrong answers",
            """
def accuracy(logits, labels):
    return (logits.argmax(dim=1) != labels).float().mean().item()
""",
            "You count the images on which prediction and label differ. That is the error rate; accuracy is "
            "the share on which they agree.",
        ),
        Misconception(
            "a tensor, not a number",
            """
def accuracy(logits, labels):
    return (logits.argmax(dim=1) == labels).float().mean()
""",
            "The value is right, but it is still a tensor with one number in it. A figure to print or to "
            "store should be a plain Python number, and `.item()` takes it out.",
        ),
        Misconception(
            "all or nothing",
            """
def accuracy(logits, labels):
    return float((logits.argmax(dim=1) == labels).all())
""",
            "You ask whether ALL images are right, so your answer is 1 or 0 and nothing between. Accuracy is "
            "a share: how large is the part of the comparisons that came out True?",
        ),
        Misconception(
            "divides by ten",
            """
def accuracy(logits, labels):
    return (logits.argmax(dim=1) == labels).sum().item() / 10
""",
            "You divide by 10, always. Ten is the number of classes; a share of the images is divided by how "
            "many images there are.",
        ),
        Misconception(
            "argmin",
            """
def accuracy(logits, labels):
    return (logits.argmin(dim=1) == labels).float().mean().item()
""",
            "You take the place of the smallest logit. The network's answer is the class to which it gives "
            "the largest.",
        ),
        Misconception(
            "returns inside the loop",
            """
def accuracy(logits, labels):
    right = 0
    for row, label in zip(logits, labels):
        if row.argmax() == label:
            right += 1
        return right / len(labels)
""",
            "Only your first image counts, as if the function ended after it. If you wrote a loop: look at "
            "how far `return` is indented. Inside the loop it ends everything in the first round.",
        ),
    ),
    alternatives=(
        """
def accuracy(logits, labels):
    right = 0
    for row, label in zip(logits.tolist(), labels.tolist()):
        right += row.index(max(row)) == label
    return right / len(labels)
""",
        """
def accuracy(logits, labels):
    predictions = torch.softmax(logits, dim=1).max(dim=1).indices
    return float((predictions == labels).double().mean())
""",
        """
def accuracy(logits, labels):
    correct = (torch.topk(logits, 1, dim=-1).indices.squeeze(1) == labels).sum().item()
    return correct / logits.shape[0]
""",
        """
def accuracy(logits, labels):
    return float(np.mean(logits.numpy().argmax(axis=1) == labels.numpy()))
""",
    ),
)

EXERCISES = (FIRST_TENSOR, SHAPE_OF_BATCH, ACCURACY)
