# ruff: noqa: SIM905 - lists of words
"""First names and family names that speakers are given: enough of them that a model must copy, not remember."""

FEMALE = tuple(
    """Abigail Ada Adriana Agnes Aisha Akua Alana Alba Alejandra Alice Alina Alma Amal Amanda Amara Amelia Amina Amy Ana Anastasia
Andrea Angela Anika Anita Anna Annika Anya April Aria Ariana Astrid Aurora Ava Ayesha Ayumi Beatriz Becky Bella Bianca
Birgit Bonnie Brenda Bridget Britta Camila Carla Carmen Carol Caroline Catherine Cecilia Celia Chantal Charlotte Chiara
Chloe Christina Ciara Claire Clara Claudia Colette Cynthia Daisy Dana Daniela Daphne Deborah Delia Denise Diana Dina Divya
Dolores Donna Dora Dorothy Ebony Edith Elaine Elena Eleni Elif Elisa Eliza Ella Ellen Elsa Emilia Emily Emma Erica Esra
Esther Eva Evelyn Faith Farah Fatima Fiona Florence Frances Freya Frida Gabriela Gemma Georgia Gina Giulia Gloria Grace Greta
Gudrun Gwen Hana Hannah Harriet Heather Heidi Helen Helga Hilda Holly Hope Ida Imani Imogen Ines Ingrid Irene Iris Isabel
Isla Ivana Ivy Jacqueline Jana Jane Janet Jasmine Jean Jelena Jennifer Jenny Jessica Jill Joan Joanna Jodie Josephine Joy
Joyce Juanita Judith Judy Julia Juliette June Kaori Karen Karin Kate Katharina Kathleen Katya Kavita Keiko Kelly Kerry Kim
Kirsten Klara Krista Laila Lakshmi Lara Latoya Laura Lauren Layla Leah Leila Lena Leonie Leticia Lily Linda Linh Lisa Liv
Livia Lola Lorena Louise Lucia Lucy Luisa Luna Lydia Mabel Madeleine Magda Mai Maja Mandy Margaret Maria Mariam Marie
Marina Marta Martha Mary Matilda Maya Megan Mei Melanie Melissa Mercy Mia Michelle Mila Mina Miriam Molly Monica Nadia Nancy
Naomi Natalia Natasha Nia Nicole Nina Noor Nora Olga Olivia Paloma Pamela Patricia Paula Pauline Penelope Petra Phoebe
Pilar Polly Priya Rachel Radhika Rania Rebecca Regina Renata Rhea Rita Rosa Rose Rosie Ruby Ruth Sabine Sadia Sakura Sally
Samira Sandra Saoirse Sara Sarah Selma Serena Shanice Sharon Shreya Silvia Simone Sofia Sonia Sophie Stella Sue Sunita Susan
Suzanne Svetlana Sylvia Tamara Tanya Tara Teresa Tessa Thandi Tina Tracy Trisha Una Ursula Uma Valentina Valerie Vanessa Vera
Veronica Victoria Violet Wanda Wendy Wilma Xin Yara Yasmin Yoko Yolanda Yuki Yvonne Zahra Zara Zainab Zoe Zuzana""".split()
)
MALE = tuple(
    """Aaron Abdul Abel Adam Adrian Ahmed Aidan Ajay Akira Alan Alastair Albert Aldo Alejandro Alessandro Alexander Alfred Ali
Alvaro Amir Anders Andre Andrew Andy Angus Anil Anthony Anton Antonio Arjun Armando Arne Arthur Arturo Arun Asher Austin Barry
Bart Ben Benjamin Bernard Bernd Bilal Bill Bjorn Bob Boris Brad Brandon Brendan Brian Bruce Bruno Callum Calvin Cameron Carl
Carlos Carter Cedric Cesar Charles Charlie Chen Chidi Chris Christian Clive Cole Colin Connor Craig Curtis Damian Dan Daniel
Darius Dave David Dean Declan Dennis Derek Dev Diego Dieter Dimitri Dmitri Dominic Donald Doug Duncan Dylan Earl Eddie Edgar
Eduardo Edward Eli Elias Elliot Emanuel Emeka Emil Enrique Eric Erik Ernest Ethan Eugene Evan Fabian Faisal Felipe Felix
Fernando Finn Florian Francesco Francis Frank Franz Fred Gabriel Gareth Gary Gavin Geoff George Gerald Gilbert Giorgio Glen
Gordon Graham Greg Guido Gunnar Gus Hamza Hank Hans Harold Harry Harvey Hassan Hector Henrik Henry Herbert Hiro Howard Hugh
Hugo Hussein Ian Ibrahim Igor Imran Isaac Ismail Ivan Jack Jackson Jacob Jake Jamal James Jan Jared Jason Javier Jay Jeff
Jens Jeremy Jerome Jerry Jesse Jim Jin Joaquin Joe Joel Johan John Jonas Jonathan Jorge Jose Joseph Josh Juan Julian Julio
Jun Justin Kai Karim Karl Karsten Keith Ken Kenji Kenneth Kevin Khalid Kiran Klaus Kofi Kurt Kwame Kyle Lars Laurence Lee Leo
Leon Leonard Levi Lewis Liam Lionel Logan Lorenzo Louis Luca Lucas Luis Lukas Luke Magnus Malcolm Manuel Marc Marcel Marco
Marcus Mario Mark Markus Martin Mason Mateo Matt Matthew Maurice Max Mehmet Michael Miguel Mike Milan Milo Mitchell Mohammed
Moses Murray Nathan Naveen Neil Nelson Nicholas Nick Nico Nigel Niko Nils Noah Norman Oliver Olof Omar Oscar Otto Owen Pablo
Paolo Patrick Paul Pavel Pedro Per Pete Peter Phil Philip Pierre Rafael Raj Rajesh Ralph Ramon Randy Rashid Raul Ravi Ray
Raymond Reggie Rene Rhys Ricardo Richard Rick Rob Robert Roberto Rodney Roger Rohan Roland Rolf Roman Ron Rory Ross Roy Rudy
Rupert Russell Ryan Salim Salvatore Sam Samuel Sanjay Santiago Saul Scott Sean Sebastian Sergei Sergio Seth Shane Shaun Shinji
Simon Sipho Stan Stefan Stephen Steve Stuart Suresh Sven Takeshi Tariq Ted Terence Terry Theo Thomas Tim Timothy Toby Todd
Tom Tomas Tony Travis Trevor Tristan Tyler Umar Vikram Viktor Vincent Vlad Wade Walter Warren Wayne Wei Wesley Will William
Wolfgang Xavier Yannick Yash Yusuf Zach Zane Zoltan""".split()
)
FAMILY = tuple(
    """Adams Adeyemi Ahmed Akhtar Alvarez Andersen Anderson Bailey Baker Banerjee Barnes Bauer Becker Bell Bennett Berg Bianchi
Bishop Black Boateng Brooks Brown Burke Campbell Carter Castillo Chan Chang Chen Choi Clark Cohen Collins Cooper Costa Cox
Cruz Davies Davis Diaz Dubois Edwards Eriksen Evans Farouk Fernandez Fischer Fisher Flores Foster Fraser Garcia Gibson Gomez
Gonzalez Graham Grant Gray Green Gupta Hall Hamilton Hansen Harris Harrison Hassan Hayes Henderson Hernandez Hill Hoffman
Howard Hughes Hussain Ibrahim Ito Ivanova Jackson James Jensen Johansson Johnson Jones Kapoor Kaur Kelly Kennedy Khan Kim King
Klein Kowalski Kumar Lam Lange Larsen Lee Lewis Li Lim Lin Lopez Ma Martin Martinez Mason Mbeki McCarthy McDonald Mehta Mendez
Meyer Miller Mitchell Moore Morales Morgan Morris Moyo Murphy Murray Nakamura Nelson Newman Nguyen Novak Nowak Okafor Olsen
Oliveira Ortiz Osei Owens Palmer Park Parker Patel Pereira Perez Peters Petrov Phillips Powell Price Rahman Ramirez Ramos Rao
Reed Reid Reyes Richards Rivera Roberts Robinson Rodriguez Romero Rossi Russell Ryan Sanchez Santos Sato Schmidt Schneider
Schwartz Scott Shah Sharma Shaw Silva Simmons Singh Smith Soto Spencer Stewart Stone Sullivan Suzuki Tan Taylor Thomas
Thompson Torres Tran Turner Vargas Vasquez Wagner Walker Wang Ward Watson Weber Webb West White Williams Wilson Wong Wood
Wright Wu Yamamoto Yang Yilmaz Young Zhang Zimmermann""".split()
)
