const explorer = kernel.picture;
